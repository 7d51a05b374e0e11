import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { noFile } from "../../ground/process/index.ts";
import { parseProjectFile, PROJECT_FILE_NAME } from "../../models/description/index.ts";
import type { Fetcher } from "../fetch/fetch-source.ts";
import type { Standpoint } from "../session.ts";
import type { ServeWords } from "./serve-commands.ts";

/** What only a single model has, and how a command line says it. */
const OF_ONE_MODEL = [
  ["code", "--code"],
  ["model", "--model"],
  ["serviceType", "--service-type"],
  ["parameters", "--parameters"],
  ["isWatched", "--watch"],
  ["isFetched", "--fetch"],
  ["isInstalled", "--install"],
] as const;

/**
 * Serves a folder, a model that is fetched first, or the graph that a file or the folder's project file says, until the session is aborted.
 * @throws as `servePlace` and `serveGraphFile`; ToolError `USAGE` for what a graph has no use for.
 */
export async function serve(words: ServeWords, session: Fetcher): Promise<void> {
  if (words.isInstalled !== true && (words.indexUrl ?? words.findLinks) !== undefined)
    throw new ToolError("USAGE", "serve: an index is named, and nothing is to be installed", {
      hint: "add --install, or leave out --index-url and --find-links",
    });
  const graph = words.graph ?? (await projectGraph(words, session));
  if (graph === undefined) return (await import("./serve-place.ts")).servePlace(words, session);
  const wrong = OF_ONE_MODEL.find(([key]) => words[key] !== undefined)?.[1];
  if (wrong !== undefined)
    throw new ToolError("USAGE", `serve a graph: ${wrong} is for a single model`, {
      hint: "say it of a node, in the graph's file or in that of --components",
    });
  return (await import("./serve-graph-file.ts")).serveGraphFile(
    { ...words, folder: words.folder ?? ".", graph },
    session,
  );
}

/** The project file of the folder, where it has a graph in the place of one model. */
async function projectGraph(
  { folder = ".", isFetched = false }: ServeWords,
  { cwd }: Standpoint,
): Promise<string | undefined> {
  if (isFetched) return undefined;
  const file = join(resolve(cwd, folder), PROJECT_FILE_NAME);
  const text = await readFile(file, "utf8").catch(noFile);
  if (text === undefined || !/^["']?graph["']?\s*:/m.test(text)) return undefined;
  return (await parseProjectFile(text, file)).graph === undefined ? undefined : file;
}
