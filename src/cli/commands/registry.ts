import { once } from "node:events";
import type { Command } from "commander";
import { createRegistryServer, type RequestLogEntry } from "../../registry-server/index.ts";
import type { Context } from "../context.ts";
import { portOf } from "../options.ts";
import { openStore } from "../places.ts";

interface Flags {
  readonly port: number;
  readonly host: string;
  readonly readOnly?: boolean;
  readonly verbose?: boolean;
}

/** `slipway registry`. */
export function define(command: Command, context: Context): void {
  command
    .option("--port <number>", "port to listen on; 0 takes one that is free", portOf, 5000)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--read-only", "refuse every push and delete")
    .option("--verbose", "one line per request")
    .addHelpText("after", "\nRuns until Ctrl-C. Whoever reaches the port may read and write: there is no log-in.\n\nExample:\n  slipway registry --port 5000\n  skopeo copy --src-tls-verify=false docker://localhost:5000/iris:v1 dir:iris")
    .action((flags: Flags) => serve(flags, context));
}

async function serve(flags: Flags, context: Context): Promise<void> {
  const { reporter, signal } = context;
  await using store = await openStore(context);
  await using server = await createRegistryServer({
    store,
    port: flags.port,
    host: flags.host,
    readOnly: flags.readOnly === true,
    onRequest: (entry) => tell(entry, flags.verbose === true, context),
  });
  if (!/^(127\.|localhost$|::1$)/.test(flags.host)) reporter.warn(`everybody who reaches ${server.url} may ${flags.readOnly === true ? "read" : "read and write"}: there is no log-in`);
  reporter.line(`${server.url} serves ${store.dataDir}${flags.readOnly === true ? " (read only)" : ""}; Ctrl-C ends it`);
  reporter.result({ url: server.url, host: server.host, port: server.port, isReadOnly: flags.readOnly === true });
  if (!signal.aborted) await once(signal, "abort");
  // Being told to end is how a server ends well.
  reporter.step("closing");
}

function tell({ method, url, status, durationMs, error }: RequestLogEntry, isVerbose: boolean, { reporter }: Context): void {
  if (error !== undefined) reporter.warn(`${method} ${url}: ${error instanceof Error ? error.message : "it failed"}`);
  if (isVerbose) reporter.step(`${method} ${url} ${status} ${durationMs.toFixed(1)} ms`);
}
