import { request as httpRequest } from "node:http";

/** A request as it goes over the wire. */
export interface WireRequest {
  /** Default: POST with a body, GET without one. */
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly port?: "http" | "metrics";
}

/** What is compared of an answer. */
export interface WireAnswer {
  readonly status: number;
  readonly type: string;
  /** Text; base64 when it is not UTF-8. */
  readonly body: string;
}

const JSON_TYPE = "application/json";

/** JSON text, or a value that is made into some; a string goes as it is. */
export function json(path: string, body: unknown, type: string = JSON_TYPE): WireRequest {
  return {
    path,
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "Content-Type": type },
  };
}

export function get(path: string, query: Readonly<Record<string, string>> = {}): WireRequest {
  const text = new URLSearchParams(query).toString();
  return { method: "GET", path: text === "" ? path : `${path}?${text}` };
}

export function form(path: string, fields: Readonly<Record<string, string>>): WireRequest {
  return {
    path,
    body: new URLSearchParams(fields).toString(),
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  };
}

/** One part of a multipart form; a file when it has a file name. */
export interface Part {
  readonly name: string;
  readonly content: string | Buffer;
  readonly filename?: string;
}

export function multipart(path: string, parts: readonly Part[]): WireRequest {
  const mark = "----seldon-case-3f9d";
  const chunks = parts.flatMap(({ name, content, filename }) => [
    Buffer.from(
      `--${mark}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? "" : `; filename="${filename}"`}\r\n\r\n`,
    ),
    Buffer.from(content),
    Buffer.from("\r\n"),
  ]);
  return {
    path,
    body: Buffer.concat([...chunks, Buffer.from(`--${mark}--\r\n`)]),
    headers: { "Content-Type": `multipart/form-data; boundary=${mark}` },
  };
}

/** Sends on a connection of its own, since the wrapper's default server keeps none open. */
export async function send(
  port: number,
  { method, path, headers = {}, body }: WireRequest,
): Promise<WireAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>();
  const length =
    body === undefined || "Transfer-Encoding" in headers
      ? {}
      : { "Content-Length": String(Buffer.byteLength(body)) };
  const request = httpRequest(
    {
      host: "127.0.0.1",
      port,
      path,
      method: method ?? (body === undefined ? "GET" : "POST"),
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
          type: response.headers["content-type"] ?? "",
          body: textOf(Buffer.concat(chunks)),
        }),
      );
    },
  );
  request.on("error", reject);
  request.end(body);
  return promise;
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : `base64:${bytes.toString("base64")}`;
}
