import { once } from "node:events";
import type { Command } from "commander";
import { createRegistryServer, type RequestLogEntry } from "../../images/registry-server/index.ts";
import { formatReference, type Digest } from "../../images/oci/index.ts";
import type { Store } from "../../images/store/index.ts";
import { fetchBaseLayer, missingInStore } from "../../app/places/base-layers.ts";
import type { Context } from "../../app/context.ts";
import { portOf } from "../../app/options.ts";
import { openStore } from "../../app/places/places.ts";
import { formatBytes, shortDigest } from "../../app/format.ts";

interface Flags {
  readonly port: number;
  readonly host: string;
  readonly readOnly?: boolean;
  readonly verbose?: boolean;
  /** `--no-fetch` makes it false. */
  readonly fetch: boolean;
}

/** `slipway registry`. */
export function define(command: Command, context: Context): void {
  command
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
    fetchBlob: flags.fetch ? (digest) => fetchMissing(store, digest, context) : undefined,
    onRequest: (entry) => tell(entry, flags.verbose === true, context),
  });
  if (!/^(127\.|localhost$|::1$)/.test(flags.host))
    reporter.warn(
      `everybody who reaches ${server.url} may ${flags.readOnly === true ? "read" : "read and write"}: there is no log-in`,
    );
  reporter.line(
    `${server.url} serves ${store.dataDir}${flags.readOnly === true ? " (read only)" : ""}; Ctrl-C ends it`,
  );
  await tellMissing(store, flags.fetch, context);
  reporter.result({
    url: server.url,
    host: server.host,
    port: server.port,
    isReadOnly: flags.readOnly === true,
  });
  if (!signal.aborted) await once(signal, "abort");
  // Being told to end is how a server ends well.
  reporter.step("closing");
}

/** Bases that live in a registry are not downloaded for packing; who pulls from here wants them all the same. */
async function tellMissing(store: Store, isFetching: boolean, context: Context): Promise<void> {
  const missing = await missingInStore(store, context);
  if (missing.length === 0) return;
  const bases = [...new Set(missing.map(({ base }) => formatReference(base)))].join(", ");
  const size = formatBytes(missing.reduce((sum, { layer }) => sum + layer.size, 0));
  if (isFetching)
    context.reporter.line(
      `${size} of base layers are not in the store; they are fetched when asked for, from ${bases}`,
    );
  else
    context.reporter.warn(
      `${size} of base layers are not in the store, and images on ${bases} cannot be pulled; \`slipway pull\` brings them`,
    );
}

async function fetchMissing(store: Store, digest: Digest, context: Context): Promise<void> {
  const found = (await missingInStore(store, context)).find(({ layer }) => layer.digest === digest);
  if (found === undefined) return;
  context.reporter.step(
    `fetching base layer ${shortDigest(digest)} (${formatBytes(found.layer.size)}) from ${formatReference(found.base)}`,
  );
  await fetchBaseLayer(store, found, context);
}

function tell(
  { method, url, status, durationMs, error }: RequestLogEntry,
  isVerbose: boolean,
  { reporter }: Context,
): void {
  if (error !== undefined)
    reporter.warn(`${method} ${url}: ${error instanceof Error ? error.message : "it failed"}`);
  if (isVerbose) reporter.step(`${method} ${url} ${status} ${durationMs.toFixed(1)} ms`);
}
