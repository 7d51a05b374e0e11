import { readDeclaredPackages } from "../../images/python-packages/index.ts";
import type { Caller } from "../session.ts";

/**
 * Lines of requirements that a folder without a requirements file declares elsewhere; none where it does not. Says where they come from, and which
 * files are not read.
 * @param folder - absolute
 * @throws ProjectError `REQUIREMENTS_INVALID` for a file that cannot be understood.
 */
export async function declaredLines(folder: string, { emit }: Caller): Promise<readonly string[]> {
  const { lines, source, unread, notes } = await readDeclaredPackages(folder);
  if (unread.length > 0) emit({ kind: "warning", text: unreadSentence(unread) });
  if (lines.length > 0)
    emit({ kind: "step", text: `taking the Python packages that ${source ?? ""} declares` });
  for (const text of notes) emit({ kind: "warning", text });
  return lines;
}

/** Says that files name packages and are not read. */
function unreadSentence(files: readonly string[]): string {
  return `${files.join(" and ")} may name Python packages and ${files.length === 1 ? "is" : "are"} not read: write what the model needs into requirements.txt`;
}

/** Packages that put their files into one place: an image has one of them. */
const FAMILIES: readonly (readonly string[])[] = [
  ["tensorflow", "tensorflow-cpu", "intel-tensorflow", "tensorflow-gpu"],
  ["xgboost", "xgboost-cpu"],
  [
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
  ],
  ["onnxruntime", "onnxruntime-gpu"],
];

/** The lines that ask for nothing that the others choose. */
export function withoutChosen(
  lines: readonly string[],
  others: readonly string[],
): readonly string[] {
  const chosen = others.map(requiredName);
  return lines.filter(
    (line) => !familyOf(requiredName(line)).some((name) => chosen.includes(name)),
  );
}

function familyOf(name: string): readonly string[] {
  return FAMILIES.find((family) => family.includes(name)) ?? [name];
}

/** The normalised name that a line of requirements asks for; empty for other lines. */
function requiredName(line: string): string {
  return (/^[\w.-]+/.exec(line.trim())?.[0] ?? "").toLowerCase().replaceAll(/[_.]+/g, "-");
}
