import { ContentError, ProcessError, stripControls, ToolError } from "../../ground/errors/index.ts";
import type { EngineKind } from "./contracts.ts";

const MISSING_IMAGE =
  /no such image|image not known|unable to find image|reference does not exist|no such object/i;
const PORT_TAKEN = /port is already allocated|address already in use/i;
const NO_GPU = /could not select device driver|unresolvable CDI devices|nvidia\.com\/gpu/i;

/** Turns an engine's failure into our own words; errors of other kinds come back as they are. */
export function explainEngine(error: unknown, kind: EngineKind, what: string): unknown {
  if (!(error instanceof ProcessError) || error.timedOut) return error;
  const text = error.stderrTail;
  const options = { cause: error };
  if (PORT_TAKEN.test(text)) {
    return new ToolError(
      "PORT_TAKEN",
      `${what} in ${kind}: a port of this machine is taken by another program`,
      { ...options, hint: "choose another with -p HOST:CONTAINER" },
    );
  }
  if (MISSING_IMAGE.test(text))
    return new ContentError(
      "REFERENCE_NOT_FOUND",
      `${what} in ${kind}: it has no such image`,
      options,
    );
  const hint = NO_GPU.test(text)
    ? "install the NVIDIA container toolkit, or run without --gpus"
    : `run \`${kind} info\` to see whether the engine works`;
  return new ToolError("ENGINE_FAILED", `${what} in ${kind}: ${lastLine(text)}`, {
    ...options,
    hint,
  });
}

/** True when an engine said that it does not have an image. */
export function isMissingImage(error: unknown): boolean {
  return error instanceof ProcessError && MISSING_IMAGE.test(error.stderrTail);
}

/** Says that an engine does not have an image. */
export function notFound(reference: string, kind: EngineKind, cause: unknown): ContentError {
  return new ContentError(
    "REFERENCE_NOT_FOUND",
    `export "${stripControls(reference)}" from ${kind}: it has no such image`,
    { cause, hint: `see \`${kind} images\`` },
  );
}

function lastLine(text: string): string {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^(see '|run 'docker run --help')/i.test(line));
  return stripControls((lines.at(-1) ?? "it gave no reason").replace(/^(Error|docker): /, ""));
}
