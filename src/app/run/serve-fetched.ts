import { createHash } from "node:crypto";
import { join } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import {
  addToHostsFile,
  parseHosts,
  parseModelUri,
  sourceFromEnvironment,
  type ModelSource,
} from "../../models/fetch/index.ts";
import { describeFetched } from "../fetch/describe-fetched.ts";
import { fetchSource, type Fetcher } from "../fetch/fetch-source.ts";
import { formatBytes } from "../format.ts";
import type { Environment } from "../session.ts";
import { findPython } from "./describe-project.ts";
import { serveDescribed, type ServeFolderRequest, type ServeSettings } from "./serve-folder.ts";

/** A model that is fetched, and then served. */
export interface ServeFetchedRequest
  extends ServeSettings, Pick<ServeFolderRequest, "model" | "allowPickle"> {
  /** Default: what the variables of the model store say. */
  readonly uri?: string | undefined;
}

/**
 * Fetches the model that a URI or the environment names into the cache, finds out what it is, and serves it until the session is
 * aborted. The variables are those that an image without a model reads; `MODEL_DIR` names another folder.
 * @throws as `fetchModel`, `describeFetched` and `serveFolder`; ToolError `USAGE` when nothing names a model
 */
export async function serveFetched(request: ServeFetchedRequest, session: Fetcher): Promise<void> {
  const environment = environmentOf(request, session.environment);
  const source =
    request.uri === undefined
      ? sourceFromEnvironment(environment)
      : parseModelUri(request.uri, environment);
  if (source === undefined)
    throw new ToolError("USAGE", "serve --fetch: nothing says which model is to be fetched", {
      hint: "set XQUERY_ADDR and MODEL_ID, or MODEL_URI, or name a URI",
    });
  await addToHostsFile(parseHosts(environment["HOSTS"]));
  const folder = environment["MODEL_DIR"]?.trim() || folderOfSource(source, session);
  const model = await fetchSource(
    { source, folder, onProgress: createSteps(session) },
    { ...session, environment },
  );
  session.emit({ kind: "step", text: `${model.isKept ? "using" : "fetched"} ${model.label}` });
  const executable = request.python ?? (await findPython(model.folder, environment));
  const description = await describeFetched(
    model,
    { contract: CONTRACT, python: { executable, path: [] }, environment },
    session,
  );
  const { workers = description.server.workers } = request;
  const server = { ...description.server, ...(workers !== undefined && { workers }) };
  const env = request.env ?? {};
  await serveDescribed({ description: { ...description, server }, env }, request, session);
}

/** What the request says goes before the variables of the same meaning. */
function environmentOf(
  { env, model, allowPickle = [] }: ServeFetchedRequest,
  environment: Environment,
): Environment {
  return {
    ...environment,
    ...env,
    ...(model !== undefined && { MODEL_PATH: model }),
    ...(allowPickle.length > 0 && { MODEL_ALLOW_PICKLE: allowPickle.join(",") }),
  };
}

const CONTRACT = "model-server";

/** A folder of the cache for each source: a model is fetched once. */
function folderOfSource(source: ModelSource, { directories }: Fetcher): string {
  const text =
    source.kind === "url"
      ? `${source.request.method} ${source.request.url.href}`
      : JSON.stringify(source);
  const name = createHash("sha256").update(text).digest("hex").slice(0, 32);
  return join(directories.cache, "models", name);
}

/** Tells each tenth of what is known to come, or each so many bytes. */
function createSteps({
  emit,
}: Fetcher): (progress: { bytes: number; size?: number | undefined }) => void {
  const blind = 256 * 2 ** 20;
  let told = 0;
  return ({ bytes, size }) => {
    const step = size === undefined ? blind : Math.max(size / 10, 16 * 2 ** 20);
    if (bytes - told < step) return;
    told = bytes;
    const of = size === undefined ? "" : ` of ${formatBytes(size)}`;
    emit({ kind: "step", text: `fetching the model: ${formatBytes(bytes)}${of}` });
  };
}
