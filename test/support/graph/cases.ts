import assert from "node:assert/strict";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";

export interface GraphRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  /** null takes a header away. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly json?: unknown;
  readonly body?: string;
  readonly form?: Readonly<Record<string, unknown>>;
  readonly multipart?: Readonly<Record<string, unknown>>;
}

/** What an answer must be; numbers are equal when their values are. */
export interface GraphExpectation {
  readonly status?: number;
  readonly json_equals?: unknown;
  readonly json_subset?: unknown;
  readonly json_absent?: readonly string[];
  readonly body_equals?: string;
  readonly body_contains?: readonly string[];
  readonly body_matches?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly headers_match?: Readonly<Record<string, string>>;
  /** The executor dies or closes the connection: any error of the server is right. */
  readonly dropped?: boolean;
  readonly stub?: readonly {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly json?: unknown;
  }[];
  readonly stub_any_order?: boolean;
  readonly share?: {
    readonly path: string;
    readonly times: number;
    readonly values: Readonly<Record<string, readonly [number, number]>>;
  };
}

export interface GraphCase {
  readonly id: string;
  readonly category: string;
  readonly graph: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Wants a server of its own. */
  readonly isolate?: boolean;
  readonly before?: readonly {
    readonly request: GraphRequest;
    readonly expect: GraphExpectation;
    readonly times?: number;
  }[];
  readonly request: GraphRequest;
  readonly expect: GraphExpectation;
}

export interface GraphWireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const BOUNDARY = "graphcasesboundary";

/** Sends one request of a case to a server on loopback. */
export async function sendGraphRequest(
  port: number,
  { method, path, query, headers = {}, ...content }: GraphRequest,
): Promise<GraphWireAnswer> {
  const { body, type } = bodyOf(content);
  const all = new Map(type === undefined ? [] : [["Content-Type", type]]);
  for (const [name, value] of Object.entries(headers))
    if (value === null) all.delete(name);
    else all.set(name, value);
  const search = query === undefined ? "" : `?${fieldsOf(query)}`;
  const { promise, resolve, reject } = Promise.withResolvers<GraphWireAnswer>();
  const request = httpRequest(
    { host: "127.0.0.1", port, method, path: path + search, headers: Object.fromEntries(all) },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    },
  );
  request.on("error", reject);
  request.end(body);
  return promise;
}

function bodyOf({
  json,
  body,
  form,
  multipart,
}: Pick<GraphRequest, "json" | "body" | "form" | "multipart">): {
  readonly body: string | undefined;
  readonly type?: string;
} {
  if (json !== undefined) return { body: JSON.stringify(json), type: "application/json" };
  if (body !== undefined) return { body, type: "application/json" };
  if (form !== undefined)
    return { body: fieldsOf(form), type: "application/x-www-form-urlencoded" };
  if (multipart === undefined) return { body: undefined };
  const parts = Object.entries(multipart).map(
    ([name, value]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${textIn(value)}\r\n`,
  );
  return {
    body: `${parts.join("")}--${BOUNDARY}--\r\n`,
    type: `multipart/form-data; boundary=${BOUNDARY}`,
  };
}

function fieldsOf(fields: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(fields).map(([name, value]): [string, string] => [
    name,
    textIn(value),
  ]);
  return new URLSearchParams(pairs).toString();
}

function textIn(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Holds an answer against what was recorded. */
export function assertGraphAnswer(want: GraphExpectation, got: GraphWireAnswer): void {
  if (want.dropped === true) {
    assert.ok(got.status >= 500, `${got.status} ${got.body}`);
    return;
  }
  if (want.status !== undefined) assert.equal(got.status, want.status, got.body);
  if ("json_equals" in want)
    assert.deepEqual(withoutMadeIds(JSON.parse(got.body)), withoutMadeIds(want.json_equals));
  if ("json_subset" in want) assert.partialDeepStrictEqual(JSON.parse(got.body), want.json_subset);
  for (const path of want.json_absent ?? [])
    assert.equal(dig(JSON.parse(got.body), path), undefined);
  if (want.body_equals !== undefined) assert.equal(got.body, want.body_equals);
  for (const part of want.body_contains ?? []) assert.ok(got.body.includes(part), got.body);
  for (const pattern of want.body_matches ?? []) assert.match(got.body, new RegExp(pattern, "m"));
  for (const [name, value] of Object.entries(want.headers ?? {}))
    assert.equal(got.headers[name.toLowerCase()], value, name);
  for (const [name, pattern] of Object.entries(want.headers_match ?? {}))
    assert.match(String(got.headers[name.toLowerCase()] ?? ""), new RegExp(pattern), name);
}

/** An id that was not given may be anything. */
function withoutMadeIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMadeIds);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, id]) => !(key === "puid" && /^([0-9a-z]{20,40}|[0-9a-f-]{36})$/.test(String(id))),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutMadeIds(inner)]));
}

function dig(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === "object" && inner !== null
          ? (inner as Record<string, unknown>)[key]
          : undefined,
      value,
    );
}
