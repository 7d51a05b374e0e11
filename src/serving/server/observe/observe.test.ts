import assert from "node:assert/strict";
import { test } from "node:test";
import { redact } from "./redact.ts";
import {
  RequestLog,
  type LogEvent,
  type LoggedPair,
  type RequestLogSettings,
} from "./request-log.ts";
import { parseObserveSettings } from "./settings.ts";
import { Tracer, TraceSettings, type EndedSpan, type SpanContext } from "../../plane/index.ts";

const SETTINGS: RequestLogSettings = {
  target: "x",
  mode: "all",
  sample: 1,
  redact: new Set(),
  maxBytes: 100,
};

function pair(request: string, endpoint = "predictions"): LoggedPair {
  const body = (text: string): LoggedPair["request"] => ({
    contentType: "application/json",
    bytes: Buffer.from(text),
  });
  return {
    id: "p",
    endpoint,
    code: "200",
    durationMs: 1,
    atMs: 0,
    request: body(request),
    response: body('{"b":2}'),
  };
}

async function eventsOf(
  settings: Partial<RequestLogSettings>,
  pairs: readonly LoggedPair[],
  draw?: () => number,
): Promise<readonly LogEvent[]> {
  const events: LogEvent[] = [];
  const sink = {
    write: async (event: LogEvent) => void events.push(event),
    end: async () => undefined,
  };
  await using log = new RequestLog({
    settings: { ...SETTINGS, ...settings },
    sink,
    onFailure: () => undefined,
    ...(draw !== undefined && { draw }),
  });
  for (const one of pairs) if (log.draws()) log.add(one);
  await log[Symbol.asyncDispose]();
  return events;
}

test("redaction reaches keys in any depth and any case, and nothing else", () => {
  const value = { Names: ["a"], list: [{ token: { deep: 1 }, keep: null }], keep: "names" };
  assert.deepEqual(redact(value, new Set(["names", "token"])), {
    Names: "[redacted]",
    list: [{ token: "[redacted]", keep: null }],
    keep: "names",
  });
});

test("numbers stand in the log as they were sent, on one line", async () => {
  const [event] = await eventsOf({}, [pair('{"a":\n1.50,"big":12345678901234567890}')]);
  assert.equal(event?.body, '{"a": 1.50,"big":12345678901234567890}');
});

test("the mode chooses sides; feedback is one event", async () => {
  const kinds = async (
    settings: Partial<RequestLogSettings>,
    endpoint?: string,
  ): Promise<readonly string[]> =>
    (await eventsOf(settings, [pair("{}", endpoint)])).map(({ kind }) => kind);
  assert.deepEqual(await kinds({}), ["request", "response"]);
  assert.deepEqual(await kinds({ mode: "request" }), ["request"]);
  assert.deepEqual(await kinds({ mode: "response" }), ["response"]);
  assert.deepEqual(await kinds({}, "feedback"), ["feedback"]);
});

test("a body is left out when it is too long, when all are hidden, and when it cannot be looked into but something is to be hidden", async () => {
  const body = async (settings: Partial<RequestLogSettings>, text: string): Promise<unknown> =>
    (await eventsOf({ ...settings, mode: "request" }, [pair(text)]))[0]?.body;
  assert.equal(await body({}, JSON.stringify("x".repeat(200))), undefined);
  assert.equal(await body({ redact: new Set(["*"]) }, "{}"), undefined);
  assert.equal(await body({ redact: new Set(["key"]) }, "[NaN]"), undefined);
  assert.deepEqual(await body({}, "[NaN]"), Buffer.from("[NaN]"));
});

test("only the drawn share is logged", async () => {
  const draws = [0.1, 0.9, 0.3];
  const events = await eventsOf(
    { sample: 0.5, mode: "request" },
    [pair("1"), pair("2"), pair("3")],
    () => draws.shift() ?? 1,
  );
  assert.deepEqual(
    events.map(({ body }) => body),
    ["1", "3"],
  );
});

test("a sink that stands still costs requests of the log, counted, and nothing else", async () => {
  const open = Promise.withResolvers<void>();
  const failures: number[] = [];
  const log = new RequestLog({
    settings: SETTINGS,
    sink: { write: () => open.promise, end: async () => undefined },
    onFailure: (_why, lost) => failures.push(lost),
  });
  for (let count = 0; count < 1500; count += 1) log.add(pair("{}"));
  assert.equal(log.lost, 500);
  assert.deepEqual(failures, [1]); // and then quiet for a minute
  open.resolve();
  await log[Symbol.asyncDispose]();
});

function begun(tracer: Tracer, traceparent: string | undefined): SpanContext {
  const context = tracer.begin(traceparent);
  assert.ok(context !== undefined);
  return context;
}

const CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("the caller's decision counts where it is to be followed, else the ratio; a bad header begins a new trace", () => {
  const spans: EndedSpan[] = [];
  const tracer = (ratio: number, followsCaller: boolean): Tracer =>
    new Tracer({
      ...{ settings: new TraceSettings({ isOn: true, ratio, count: -1 }), followsCaller },
      onEnd: (span) => spans.push(span),
    });
  assert.deepEqual(
    [begun(tracer(0, true), CALLER).isSampled, begun(tracer(0, false), CALLER).isSampled],
    [true, false],
  );
  assert.deepEqual(
    [
      begun(tracer(1, true), CALLER.replace(/1$/, "0")).isSampled,
      begun(tracer(1, true), undefined).isSampled,
    ],
    [false, true],
  );
  const fresh = begun(tracer(1, true), "00-garbage");
  assert.notEqual(fresh.traceId, "0af7651916cd43dd8448eb211c80319c");
  assert.equal(fresh.parentId, undefined);
  const half = tracer(0.5, false);
  const drawn = Array.from({ length: 2000 }, () => begun(half, undefined).isSampled).filter(
    Boolean,
  ).length;
  assert.ok(drawn > 800 && drawn < 1200, String(drawn));
  tracer(0, false).end(begun(tracer(0, false), undefined), {
    name: "x",
    kind: "server",
    startedAt: 0,
    attributes: {},
  });
  assert.equal(spans.length, 0);
});

test("nothing is switched on by itself, and a collector is named by its base or whole", () => {
  assert.deepEqual(parseObserveSettings({}, "iris"), {});
  const url = (env: Record<string, string>): string | undefined =>
    parseObserveSettings(env, "iris").tracing?.otlp.url;
  assert.equal(url({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/" }), "http://c:4318/v1/traces");
  assert.equal(
    url({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://t/x",
    }),
    "https://t/x",
  );
  assert.equal(
    url({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318", OTEL_SDK_DISABLED: "true" }),
    undefined,
  );
  assert.equal(
    url({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318", OTEL_TRACES_EXPORTER: "none" }),
    undefined,
  );
  assert.deepEqual(
    parseObserveSettings(
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://c",
        OTEL_RESOURCE_ATTRIBUTES: "a=1,service.name=x%20y",
      },
      "iris",
    ).tracing?.otlp.resource,
    { a: "1", "service.name": "x y" },
  );
});

for (const env of [
  { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" },
  { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
  { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_TRACES_SAMPLER: "sometimes" },
  { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_EXPORTER_OTLP_HEADERS: "key" },
  { SLIPWAY_REQUEST_LOG: "ftp://x" },
  { SLIPWAY_REQUEST_LOG: "file", SLIPWAY_REQUEST_LOG_MODE: "none" },
  { SLIPWAY_REQUEST_LOG: "file", SLIPWAY_REQUEST_LOG_MAX_BYTES: "-1" },
]) {
  const [name = ""] = Object.keys(env).slice(-1);
  test(`refused by name: ${name}=${Object.values(env).at(-1)}`, () => {
    assert.throws(
      () => parseObserveSettings(env, "iris"),
      (error: { code: string; message: string }) =>
        error.code === "USAGE" && error.message.includes(name),
    );
  });
}
