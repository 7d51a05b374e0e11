import { ToolError } from "../../ground/errors/index.ts";
import type { Fetcher } from "../fetch/fetch-source.ts";
import type { ServeWords } from "./serve-commands.ts";

/** What only a single model has, and how a command line says it. */
const OF_ONE_MODEL = [
  ["code", "--code"],
  ["model", "--model"],
  ["serviceType", "--service-type"],
  ["parameters", "--parameters"],
  ["isWatched", "--watch"],
  ["isFetched", "--fetch"],
] as const;

/**
 * Serves a folder, a model that is fetched first, or a graph when its file is named, until the session is aborted.
 * @throws as `servePlace` and `serveGraphFile`; ToolError `USAGE` for what a graph has no use for.
 */
export async function serve(words: ServeWords, session: Fetcher): Promise<void> {
  const { graph } = words;
  if (graph === undefined) return (await import("./serve-place.ts")).servePlace(words, session);
  const wrong =
    OF_ONE_MODEL.find(([key]) => words[key] !== undefined)?.[1] ??
    (words.ports?.grpc === undefined ? undefined : "--grpc-port");
  if (wrong !== undefined)
    throw new ToolError("USAGE", `serve a graph: ${wrong} is for a single model`, {
      hint: "say it of a node, in the graph's file or in that of --components",
    });
  return (await import("./serve-graph-file.ts")).serveGraphFile(
    { ...words, folder: words.folder ?? ".", graph },
    session,
  );
}
