import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import type { ModelDescription } from "../../models/description/index.ts";
import type { Signature } from "../../models/tensor/index.ts";

const MAX_BYTES = 8 * 2 ** 20;
const LABELS_FILE = "labels.txt";
const METADATA_FILE = "metadata.json";

/** Names of classes by index, by output. */
export type Labels = Readonly<Record<string, readonly string[]>>;

/**
 * Reads the names of classes beside a model: `labels` of outputs in `metadata.json`, and
 * `labels.txt`, one name a line, for the first output. A file is ignored when it is missing, longer
 * than 8 MiB, or not text.
 */
export async function readLabels(
  { codePath, modelPath }: Pick<ModelDescription, "codePath" | "modelPath">,
  signature: Signature | undefined,
): Promise<Labels> {
  const folder = codePath ?? (modelPath === undefined ? undefined : dirname(modelPath));
  if (folder === undefined) return {};
  const first = signature?.outputs[0]?.name;
  const lines = (await readBounded(join(folder, LABELS_FILE)))?.trimEnd().split(/\r?\n/);
  return {
    ...(first !== undefined && lines !== undefined && { [first]: lines }),
    ...labelsIn(await readBounded(join(folder, METADATA_FILE))),
  };
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
