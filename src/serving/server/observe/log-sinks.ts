import { createWriteStream, type WriteStream } from "node:fs";
import { once } from "node:events";
import type { HttpClient } from "../../../ground/http/index.ts";
import { causeOf, isSuccess, post } from "./post.ts";
import type { LogEvent, LogSink } from "./request-log.ts";

/** Names that events carry, as those of Seldon's request logger. */
export interface EventSource {
  readonly model: string;
  readonly deployment: string | undefined;
  readonly namespace: string | undefined;
  readonly endpoint: string | undefined;
}

/** Appends a line of JSON for each event. The file is opened at the first one. */
export function createFileSink(path: string): LogSink {
  let file: WriteStream | undefined;
  let failure: Error | undefined;
  return {
    write: async (event) => {
      if (failure !== undefined) throw failure;
      if (file === undefined) {
        file = createWriteStream(path, { flags: "a", mode: 0o600 });
        file.on("error", (error) => (failure = error));
      }
      if (!file.write(`${lineOf(event)}\n`))
        await Promise.race([once(file, "drain"), once(file, "close")]);
      if (failure !== undefined) throw failure;
    },
    end: () =>
      new Promise((resolve) =>
        file === undefined || file.destroyed ? resolve() : file.end(() => resolve()),
      ),
  };
}

function lineOf({ kind, pair, contentType, body, size }: LogEvent): string {
  const { id, endpoint, code, durationMs, atMs } = pair;
  const about = {
    time: new Date(atMs).toISOString(),
    kind,
    id,
    endpoint,
    code,
    durationMs: Math.round(durationMs * 1000) / 1000,
    contentType,
    size,
  };
  if (body === undefined) return JSON.stringify({ ...about, isOmitted: true });
  if (typeof body !== "string")
    return JSON.stringify({ ...about, base64: Buffer.from(body).toString("base64") });
  return `${JSON.stringify(about).slice(0, -1)},"body":${body}}`;
}

const TYPES = {
  request: "io.seldon.serving.inference.request",
  response: "io.seldon.serving.inference.response",
  feedback: "io.seldon.serving.feedback",
} as const;
const TIMEOUT_MS = 5000;

/**
 * Posts each event as a CloudEvent in binary mode, with the types and attributes of Seldon's request logger.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#31-binary-content-mode
 */
export function createHttpSink(url: URL, source: EventSource, client: HttpClient): LogSink {
  const named: Readonly<Record<string, string | undefined>> = {
    "ce-modelid": source.model,
    "ce-inferenceservicename": source.deployment,
    "ce-namespace": source.namespace,
    "ce-endpoint": source.endpoint,
  };
  const fixed = Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, headerText(value)]],
    ),
  );
  return {
    write: async ({ eventId, kind, pair, contentType, body }) => {
      const headers = {
        ...fixed,
        ...{
          "ce-specversion": "1.0",
          "ce-id": eventId,
          "ce-type": TYPES[kind],
          "ce-source": `/${encodeURIComponent(source.model)}`,
        },
        ...{
          "ce-time": new Date(pair.atMs).toISOString(),
          "ce-requestid": headerText(pair.id),
          "ce-protocol": "seldon",
          "content-type": typeof body === "string" ? "application/json" : contentType,
        },
      };
      const { status } = await post(client, {
        action: "post an event",
        url,
        headers,
        body: Buffer.from(body ?? ""),
        timeoutMs: TIMEOUT_MS,
      }).catch((error: unknown) => {
        throw new Error(`post to ${url.host}: ${causeOf(error)}`, { cause: error });
      });
      if (!isSuccess(status)) throw new Error(`post to ${url.host}: it answered ${status}`);
    },
    end: () => Promise.resolve(),
  };
}

/** Percent-encodes what may not stand in a header, as CloudEvents has it. */
function headerText(value: string): string {
  return value.replaceAll(/[^\x21\x23\x24\x26-\x7e]/gu, (character) =>
    encodeURIComponent(character.isWellFormed() ? character : "\ufffd"),
  );
}
