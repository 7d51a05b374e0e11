import { ToolError } from "../../ground/errors/index.ts";
import { isModelUri, sourceFromEnvironment } from "../../models/fetch/index.ts";
import type { Fetcher } from "../fetch/fetch-source.ts";
import { environmentsFolder, type Environment } from "../session.ts";
import { readEnvFiles } from "./env-file.ts";
import { serveFetched } from "./serve-fetched.ts";
import { serveFolder, type ServeFolderRequest } from "./serve-folder.ts";

/** A folder, or a model that is fetched first. */
export interface ServePlaceRequest extends Omit<ServeFolderRequest, "folder" | "environments"> {
  /** A folder, or a URI of `http:`, `https:`, `file:`, `oci:`, `s3:` or `hf:`. Default: the model that the variables name, else `.`. */
  readonly folder?: string | undefined;
  /** Fetches the model that the variables name; an error when they name none. */
  readonly isFetched?: boolean | undefined;
  /** Installs what the model needs into an environment that the cache keeps. Default false. */
  readonly isInstalled?: boolean | undefined;
  /** Files of variables, as docker reads them. Those of `env` win. */
  readonly envFiles?: readonly string[] | undefined;
}

/**
 * Serves a folder as it lies, or fetches a model and serves it, until the session is aborted.
 * @throws as `serveFolder` and `serveFetched`; ToolError `USAGE` for a fetched model whose packages are to be installed
 */
export async function servePlace(request: ServePlaceRequest, session: Fetcher): Promise<void> {
  const { folder = ".", isFetched: _, isInstalled = false, envFiles = [], ...settings } = request;
  const env = { ...(await readEnvFiles(envFiles, session)), ...request.env };
  const fetched = fetchedPlace(request, { ...session.environment, ...env });
  if (fetched !== undefined && isInstalled)
    throw new ToolError("USAGE", "serve a model that is fetched: --install is for a folder", {
      hint: "bring the model into a folder, and serve that",
    });
  if (fetched !== undefined) return serveFetched({ ...settings, env, ...fetched }, session);
  const environments = isInstalled ? environmentsFolder(session) : undefined;
  return serveFolder({ ...settings, env, folder, environments }, session);
}

/** Where the model is fetched from, without a URI where the variables say it; undefined for a folder. */
function fetchedPlace(
  { folder, isFetched = false }: ServePlaceRequest,
  environment: Environment,
): { readonly uri?: string } | undefined {
  if (isFetched) return {};
  if (folder === undefined)
    return sourceFromEnvironment(environment) === undefined ? undefined : {};
  return isModelUri(folder) ? { uri: folder } : undefined;
}
