import { isModelUri, sourceFromEnvironment } from "../../models/fetch/index.ts";
import type { Fetcher } from "../fetch/fetch-source.ts";
import { readEnvFiles } from "./env-file.ts";
import { serveFetched } from "./serve-fetched.ts";
import { serveFolder, type ServeFolderRequest } from "./serve-folder.ts";

/** A folder, or a model that is fetched first. */
export interface ServePlaceRequest extends Omit<ServeFolderRequest, "folder"> {
  /** A folder, or a URI of `http:`, `https:`, `file:`, `oci:`, `s3:` or `hf:`. Default: the model that the variables name, else `.`. */
  readonly folder?: string | undefined;
  /** Fetches the model that the variables name; an error when they name none. */
  readonly isFetched?: boolean | undefined;
  /** Files of variables, as docker reads them. Those of `env` win. */
  readonly envFiles?: readonly string[] | undefined;
}

/**
 * Serves a folder as it lies, or fetches a model and serves it, until the session is aborted.
 * @throws as `serveFolder` and `serveFetched`
 */
export async function servePlace(request: ServePlaceRequest, session: Fetcher): Promise<void> {
  const { folder, isFetched = false, envFiles = [], ...settings } = request;
  const env = { ...(await readEnvFiles(envFiles, session)), ...request.env };
  const isNamed = folder !== undefined && !isFetched;
  if (isNamed && isModelUri(folder))
    return serveFetched({ ...settings, env, uri: folder }, session);
  const isWanted =
    isFetched ||
    (!isNamed && sourceFromEnvironment({ ...session.environment, ...env }) !== undefined);
  return isWanted
    ? serveFetched({ ...settings, env }, session)
    : serveFolder({ ...settings, env, folder: folder ?? "." }, session);
}
