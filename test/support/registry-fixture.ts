import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { createTempDir } from "../../src/ground/process/index.ts";
import {
  createRegistryServer,
  type RegistryServer,
  type RegistryServerOptions,
} from "../../src/images/registry-server/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";

/** A registry over a store of its own; gone with the test. */
export interface RegistryFixture extends AsyncDisposable {
  readonly folder: string;
  readonly store: Store;
  readonly server: RegistryServer;
  /** One request; the body is read whole. */
  readonly send: (method: string, path: string, options?: SendOptions) => Promise<Answer>;
}

export interface SendOptions {
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Starts a registry on a free port of the loopback. */
export async function startRegistry(
  options: Partial<Omit<RegistryServerOptions, "store">> = {},
): Promise<RegistryFixture> {
  const folder = await createTempDir("registry");
  const store = createStore({
    dataDir: join(folder.path, "data"),
    cacheDir: join(folder.path, "cache"),
  });
  const server = await createRegistryServer({ store, ...options });
  return {
    folder: folder.path,
    store,
    server,
    send: (method, path, sendOptions = {}) => send(server, { method, path, ...sendOptions }),
    async [Symbol.asyncDispose]() {
      await server.close(0);
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** One request over a connection of its own. `path` goes out as it is, however wrong. */
export async function send(
  server: Pick<RegistryServer, "host" | "port">,
  options: SendOptions & { readonly method: string; readonly path: string },
): Promise<Answer> {
  const { method, path, body, headers = {} } = options;
  const isStream = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
  const length =
    body === undefined || isStream ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = httpRequest(
    {
      host: server.host,
      port: server.port,
      method,
      path,
      headers: { ...length, ...headers },
      agent: false,
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      );
    },
  );
  request.on("error", reject);
  if (isStream) for await (const chunk of body) request.write(chunk);
  request.end(isStream ? undefined : body);
  return promise;
}

export interface Blob {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly size: number;
}

/** Describes bytes. */
export function blobOf(
  content: Uint8Array | string,
  algorithm: "sha256" | "sha512" = "sha256",
): Blob {
  const bytes = Buffer.from(content);
  return {
    bytes,
    digest: `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`,
    size: bytes.byteLength,
  };
}

/** Bytes that no other test has. */
export function randomBlob(size = 512, algorithm: "sha256" | "sha512" = "sha256"): Blob {
  return blobOf(randomBytes(size), algorithm);
}
