/** Name of the node in a reference such as `name`, `name:1`, `^name` or, inside a function, `name:output:0`. */
export function nodeName(reference: string): string {
  const start = reference.startsWith("^") ? 1 : 0;
  const end = reference.indexOf(":");
  return end === -1 ? reference.slice(start) : reference.slice(start, end);
}

/** True for `^name`: an edge that orders, and carries nothing. */
export function isControl(reference: string): boolean {
  return reference.startsWith("^");
}

/** What stands behind the node's name: `1`, `output:0`; empty for the first result of a graph's node and for a function's argument. */
export function slotText(reference: string): string {
  const end = reference.indexOf(":");
  return end === -1 ? "" : reference.slice(end + 1);
}

/** The number at the end of a reference, 0 when there is none. */
export function slotNumber(reference: string): number {
  const digits = /:(\d{1,9})$/.exec(reference)?.[1];
  return digits === undefined ? 0 : Number(digits);
}

/** Inputs that carry values. */
export function dataInputs(inputs: readonly string[]): readonly string[] {
  return inputs.filter((input) => !isControl(input));
}
