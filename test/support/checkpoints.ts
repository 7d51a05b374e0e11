import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

const FIXTURES = resolve(import.meta.dirname, "../fixtures/checkpoints");

/** An array with its bytes in base64, little-endian. */
export interface CheckpointArray {
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** One way to export a checkpoint, and what must come of it. */
export interface CheckpointVariant {
  readonly id: string;
  readonly args: readonly string[];
  readonly expect: "ok" | "refused";
  readonly must_say?: readonly string[];
  readonly inputs?: readonly {
    readonly tensor: string;
    readonly dtype: string;
    readonly shape: readonly (number | null)[];
  }[];
  readonly runs?: readonly {
    readonly feeds: Readonly<Record<string, CheckpointArray>>;
    readonly expected: Readonly<Record<string, CheckpointArray>>;
  }[];
}

/** Names of the kept checkpoints: TensorFlow 1.7, 1.15, 2.12 and 2.21 wrote them, and noted what their sessions answer. */
export const CHECKPOINTS: readonly string[] = readdirSync(FIXTURES).sort();

/** Copies a checkpoint into a new folder and unpacks what is kept packed. */
export function unpackCheckpoint(name: string, folder: string): void {
  cpSync(join(FIXTURES, name), folder, { recursive: true });
  for (const file of readdirSync(folder)) {
    if (!file.endsWith(".gz")) continue;
    const path = join(folder, file);
    writeFileSync(path.slice(0, -3), gunzipSync(readFileSync(path)));
    rmSync(path);
  }
}

/** How a checkpoint is to be exported. @param folder - where `unpackCheckpoint` put it */
export function checkpointVariants(folder: string): readonly CheckpointVariant[] {
  const parsed: { readonly variants: readonly CheckpointVariant[] } = JSON.parse(
    readFileSync(join(folder, "case.json"), "utf8"),
  );
  return parsed.variants;
}

/** Value of a flag such as `--outputs` in a variant's words. */
export function flagOf(variant: CheckpointVariant, flag: string): string | undefined {
  const at = variant.args.indexOf(flag);
  return at === -1 ? undefined : variant.args[at + 1];
}

/** What a variant puts in the place of tensors, as `--input` wants it. */
export function inputWords(variant: CheckpointVariant): readonly string[] {
  return (variant.inputs ?? []).map(
    ({ tensor, dtype, shape }) =>
      `${tensor}=${dtype}[${shape.map((size) => size ?? "?").join(",")}]`,
  );
}
