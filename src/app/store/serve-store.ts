import { once } from "node:events";
import { createRegistryServer, type RequestLogEntry } from "../../images/registry-server/index.ts";
import { formatReference, type Digest } from "../../images/oci/index.ts";
import type { Store } from "../../images/store/index.ts";
import { formatBytes, shortDigest } from "../format.ts";
import { fetchBaseLayer, missingInStore } from "../places/base-layers.ts";
import { openStore } from "../places/places.ts";
import type { Places } from "../session.ts";

/** How the store is served. */
export interface ServeStoreRequest {
  /** 0 takes one that is free. Default 5000. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Refuses every push and delete. Default false. */
  readonly isReadOnly?: boolean | undefined;
  /** Fetches base layers that were never downloaded from their own registry. Default true. */
  readonly isFetching?: boolean | undefined;
  /** Told each request. */
  readonly onRequest?: ((entry: RequestLogEntry) => void) | undefined;
  /** Told once it listens. */
  readonly onListening?: ((served: ServedStore) => void) | undefined;
}

/** Where the store is served, and what it lacks. */
export interface ServedStore {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The store's folder. */
  readonly dataDir: string;
  /** Layers of bases that only their own registry has. */
  readonly missing: { readonly bytes: number; readonly bases: readonly string[] };
}

/** Serves the local store as a registry until the session is aborted. @throws ToolError `PORT_TAKEN`. */
export async function serveStore(request: ServeStoreRequest, session: Places): Promise<void> {
  const { signal } = session;
  const { isFetching = true } = request;
  await using store = await openStore(session);
  await using server = await createRegistryServer({
    store,
    port: request.port ?? 5000,
    host: request.host ?? "127.0.0.1",
    readOnly: request.isReadOnly === true,
    fetchBlob: isFetching ? (digest) => fetchMissing(store, digest, session) : undefined,
    onRequest: (entry) => request.onRequest?.(entry),
  });
  const missing = await missingInStore(store, session);
  request.onListening?.({
    url: server.url,
    host: server.host,
    port: server.port,
    dataDir: store.dataDir,
    missing: {
      bytes: missing.reduce((sum, { layer }) => sum + layer.size, 0),
      bases: [...new Set(missing.map(({ base }) => formatReference(base)))],
    },
  });
  if (!signal.aborted) await once(signal, "abort");
  // Being told to end is how a server ends well.
  session.emit({ kind: "step", text: "closing" });
}

async function fetchMissing(store: Store, digest: Digest, session: Places): Promise<void> {
  const found = (await missingInStore(store, session)).find(({ layer }) => layer.digest === digest);
  if (found === undefined) return;
  session.emit({
    kind: "step",
    text: `fetching base layer ${shortDigest(digest)} (${formatBytes(found.layer.size)}) from ${formatReference(found.base)}`,
  });
  await fetchBaseLayer(store, found, session);
}
