import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { isDetector } from "../../models/answers/index.ts";
import type { ModelDescription } from "../../models/description/index.ts";
import type { Signature } from "../../models/tensor/index.ts";

const MAX_BYTES = 8 * 2 ** 20;
const LABELS_FILE = "labels.txt";
const METADATA_FILE = "metadata.json";

/** Names of classes by index, by output. */
export type Labels = Readonly<Record<string, readonly string[]>>;

/**
 * Names of classes of a model: those of its description, for the classes of a detector or for the first output; `labels` of outputs in
 * `metadata.json`, and `labels.txt`, a name on each line, for the first output. Files that are not there, longer than 8 MiB or no text of that kind say nothing.
 */
export async function readLabels(
  { codePath, modelPath, labels }: Pick<ModelDescription, "codePath" | "modelPath" | "labels">,
  signature: Signature | undefined,
): Promise<Labels> {
  const first = classesOutput(signature);
  const own = first === undefined || labels === undefined ? {} : { [first]: labels };
  const folder = codePath ?? (modelPath === undefined ? undefined : dirname(modelPath));
  if (folder === undefined) return own;
  const lines = (await readBounded(join(folder, LABELS_FILE)))?.trimEnd().split(/\r?\n/);
  return {
    ...(first !== undefined && lines !== undefined && { [first]: lines }),
    ...own,
    ...labelsIn(await readBounded(join(folder, METADATA_FILE))),
  };
}

/** The output that names of classes without an output are for. */
function classesOutput(signature: Signature | undefined): string | undefined {
  const outputs = signature?.outputs ?? [];
  return isDetector(outputs) ? "detection_classes" : outputs[0]?.name;
}

function labelsIn(text: string | undefined): Labels {
  const value = parsed(text ?? "{}");
  const { outputs } = (typeof value === "object" && value !== null ? value : {}) as {
    readonly outputs?: unknown;
  }; // checked below
  if (!Array.isArray(outputs)) return {};
  const found = outputs.flatMap((output: unknown) => {
    const { name, labels } = (typeof output === "object" && output !== null ? output : {}) as {
      readonly name?: unknown;
      readonly labels?: unknown;
    }; // checked in the next line
    return typeof name === "string" && Array.isArray(labels)
      ? [[name, labels.map(String)] as const]
      : [];
  });
  return Object.fromEntries(found);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the runtime that needs the file says what is wrong with it
  }
}

async function readBounded(path: string): Promise<string | undefined> {
  const file = await open(path).catch(noFile); // most models have none
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    return size > MAX_BYTES ? undefined : await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
