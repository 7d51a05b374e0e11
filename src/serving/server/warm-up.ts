import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InferenceError, isToolError } from "../../ground/errors/index.ts";
import { noFile } from "../../ground/process/index.ts";
import type { ModelDescription } from "../../models/description/index.ts";
import type { Predictor } from "../plane/index.ts";
import { readRequests } from "../protocols/index.ts";

/** Name of the file beside a model with requests that it gets before any client's. */
const WARM_UP_FILE = "warmup.json";
const MAX_BYTES = 64 * 2 ** 20;

/**
 * Sends a model the requests of `warmup.json` beside it, one after the other, so that the first client does not wait for what a model does
 * at its first call. A model that fails them is not taken into use.
 * @throws InferenceError `MODEL_LOAD_FAILED` naming the request
 */
export async function warmUp(
  { name: model, codePath, modelPath }: ModelDescription,
  predictor: Predictor,
): Promise<void> {
  const folder = codePath ?? (modelPath === undefined ? undefined : dirname(modelPath));
  if (folder === undefined) return;
  const file = join(folder, WARM_UP_FILE);
  const about = await stat(file).catch(noFile);
  if (about === undefined) return;
  const failed = (what: string, why: unknown): InferenceError =>
    new InferenceError(
      "MODEL_LOAD_FAILED",
      `load the model "${model}": ${what} of "${file}" ${isToolError(why) ? `failed: ${why.message}` : String(why)}`,
      { model, cause: why, hint: "mend the file, or take it away" },
    );
  if (about.size > MAX_BYTES) throw failed("the content", `is longer than ${MAX_BYTES} bytes`);
  let what = "the content";
  try {
    for (const [at, request] of readRequests(await readFile(file)).entries()) {
      what = `request ${at + 1}`;
      await predictor.infer(request);
    }
  } catch (error) {
    if (isToolError(error)) throw failed(what, error);
    throw error;
  }
}
