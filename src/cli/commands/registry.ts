import {
  serveStore,
  type CommandRequests,
  type RequestLogEntry,
  type ServedStore,
} from "../../app/index.ts";
import type { Cli, Run } from "../cli.ts";
import { formatBytes } from "../render/format.ts";

type Words = CommandRequests["registry"];

/** `slipway registry`. */
export const serveRegistry: Run<"registry"> = (words, { session, reporter }) =>
  serveStore(
    {
      ...words,
      onRequest: (entry) => tell(entry, words.isVerbose === true, reporter),
      onListening: (served) => announce(served, words, reporter),
    },
    session,
  );

function announce(
  { url, host, port, dataDir, missing }: ServedStore,
  words: Words,
  reporter: Cli["reporter"],
): void {
  const isReadOnly = words.isReadOnly === true;
  if (!/^(127\.|localhost$|::1$)/.test(words.host))
    reporter.warn(
      `everybody who reaches ${url} may ${isReadOnly ? "read" : "read and write"}: there is no log-in`,
    );
  reporter.line(`${url} serves ${dataDir}${isReadOnly ? " (read only)" : ""}; Ctrl-C ends it`);
  // Bases that live in a registry are not downloaded for packing; who pulls from here wants them all the same.
  const [size, bases] = [formatBytes(missing.bytes), missing.bases.join(", ")];
  if (missing.bases.length > 0 && words.isFetching === true)
    reporter.line(
      `${size} of base layers are not in the store; they are fetched when asked for, from ${bases}`,
    );
  else if (missing.bases.length > 0)
    reporter.warn(
      `${size} of base layers are not in the store, and images on ${bases} cannot be pulled; \`slipway pull\` brings them`,
    );
  reporter.result({ url, host, port, isReadOnly });
}

function tell(
  { method, url, status, durationMs, error }: RequestLogEntry,
  isVerbose: boolean,
  reporter: Cli["reporter"],
): void {
  if (error !== undefined)
    reporter.warn(`${method} ${url}: ${error instanceof Error ? error.message : "it failed"}`);
  if (isVerbose) reporter.step(`${method} ${url} ${status} ${durationMs.toFixed(1)} ms`);
}
