import { ToolError } from "../../ground/errors/index.ts";
import { differenceInWords, type Difference } from "../shown/index.ts";

/** True when the two answers are alike. */
function isAlike({ maxRel = 0, different = 0, why }: Difference, tolerance: number): boolean {
  return why === undefined && different === 0 && maxRel <= tolerance;
}

/** @throws ToolError `CONVERSION_DIFFERS` naming each output that is not alike; `UNSUPPORTED` when nothing was compared. */
export function assertAlike(
  source: string,
  differences: readonly Difference[],
  tolerance: number,
): void {
  if (differences.length === 0)
    throw new ToolError("UNSUPPORTED", `convert "${source}": the two models share no output`);
  const wrong = differences.filter((one) => !isAlike(one, tolerance));
  if (wrong.length === 0) return;
  const said = wrong
    .slice(0, 8)
    .map((one) => `${one.output} (${one.sample}): ${differenceInWords(one)}`);
  throw new ToolError(
    "CONVERSION_DIFFERS",
    `convert "${source}": the answers differ by more than ${tolerance}: ${said.join("; ")}`,
    {
      hint: "give inputs like those that the model was made for (--inputs FILE), or allow more (--tolerance NUMBER); nothing was written",
    },
  );
}
