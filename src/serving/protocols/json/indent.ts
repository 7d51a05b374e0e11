/** Compact JSON text laid out over lines with two spaces per level, as Python's `json` does it with `indent=2`. */
export function indentJson(text: string): string {
  let out = "";
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charAt(at);
    if (unit === '"') {
      const end = endOfString(text, at);
      out += text.slice(at, end);
      at = end - 1;
    } else if (unit === "{" || unit === "[") {
      const close = text.charAt(at + 1);
      if (close === "}" || close === "]") {
        out += unit + close;
        at += 1;
      } else out += unit + lineBreak((depth += 1));
    } else if (unit === "}" || unit === "]") out += lineBreak((depth -= 1)) + unit;
    else if (unit === ",") out += unit + lineBreak(depth);
    else out += unit === ":" ? ": " : unit;
  }
  return out;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
  return at + 1;
}

function lineBreak(depth: number): string {
  return `\n${"  ".repeat(depth)}`;
}
