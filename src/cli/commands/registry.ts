import { serveStore, type RequestLogEntry, type ServedStore } from "../../app/index.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";
import { portOf } from "../options.ts";
import { formatBytes } from "../render/format.ts";
import { addReachFlags, withReachFlags, type ReachFlags } from "../registry-flags.ts";

interface Flags extends ReachFlags {
  readonly port: number;
  readonly host: string;
  readonly readOnly?: boolean;
  readonly verbose?: boolean;
  /** `--no-fetch` makes it false. */
  readonly fetch: boolean;
}

/** `slipway registry`. */
export const define: CommandModule["define"] = (command, cli) => {
  addReachFlags(command)
    .option("--port <number>", "port to listen on; 0 takes one that is free", portOf, 5000)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--read-only", "refuse every push and delete")
    .option(
      "--no-fetch",
      "do not fetch base layers that were never downloaded from their own registry",
    )
    .option("--verbose", "one line per request")
    .addHelpText(
      "after",
      "\nRuns until Ctrl-C. Whoever reaches the port may read and write: there is no log-in.\n\nExample:\n  slipway registry --port 5000\n  skopeo copy --src-tls-verify=false docker://localhost:5000/iris:v1 dir:iris",
    )
    .action((flags: Flags) => serve(flags, withReachFlags(cli, flags)));
};

async function serve(flags: Flags, { session, reporter }: Cli): Promise<void> {
  await serveStore(
    {
      port: flags.port,
      host: flags.host,
      isReadOnly: flags.readOnly,
      isFetching: flags.fetch,
      onRequest: (entry) => tell(entry, flags.verbose === true, reporter),
      onListening: (served) => announce(served, flags, reporter),
    },
    session,
  );
}

function announce(
  { url, host, port, dataDir, missing }: ServedStore,
  flags: Flags,
  reporter: Cli["reporter"],
): void {
  const isReadOnly = flags.readOnly === true;
  if (!/^(127\.|localhost$|::1$)/.test(flags.host))
    reporter.warn(
      `everybody who reaches ${url} may ${isReadOnly ? "read" : "read and write"}: there is no log-in`,
    );
  reporter.line(`${url} serves ${dataDir}${isReadOnly ? " (read only)" : ""}; Ctrl-C ends it`);
  // Bases that live in a registry are not downloaded for packing; who pulls from here wants them all the same.
  const [size, bases] = [formatBytes(missing.bytes), missing.bases.join(", ")];
  if (missing.bases.length > 0 && flags.fetch)
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
