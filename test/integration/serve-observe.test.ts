import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { startEntry } from "./serve-support.ts";

const IDENTITY =
  "class Model:\n    def predict(self, X, names):\n        print('in predict')\n        return X\n";
const CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A collector that keeps what it gets and answers with `status`. */
async function startCollector(
  status = 200,
): Promise<{ readonly url: string; readonly got: Got[]; next(): Promise<Got>; close(): void }> {
  const got: Got[] = [];
  const waiting: ((one: Got) => void)[] = [];
  let read = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      response.writeHead(status).end();
      const one = { path: request.url ?? "", headers: request.headers, body };
      got.push(one);
      waiting.shift()?.(one);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const next = (): Promise<Got> => {
    const one = got[read];
    read += 1;
    return one === undefined
      ? new Promise((resolve) => waiting.push(resolve))
      : Promise.resolve(one);
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    next,
    close: () => (server.closeAllConnections(), server.close()),
  };
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[];
  readonly status: { code?: number };
}

function spansOf({ body }: Got): {
  readonly resource: unknown;
  readonly spans: readonly OtlpSpan[];
} {
  const { resourceSpans } = JSON.parse(body) as {
    resourceSpans: { resource: { attributes: unknown }; scopeSpans: { spans: OtlpSpan[] }[] }[];
  };
  return {
    resource: resourceSpans[0]!.resource.attributes,
    spans: resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  };
}

test("the page of metrics has latency by endpoint and model, queue, workers and restarts, on three paths", async (t) => {
  await using served = await startEntry(t, {
    source: IDENTITY,
    env: { PREDICTIVE_UNIT_ID: "classifier", SELDON_DEPLOYMENT_ID: "sdep" },
  });
  if (served === undefined) return;
  await served.predict([[1]]);
  await served.predict([[1], [1, 2]]);
  const page = await (await fetch(`${served.url}/metrics`)).text();
  for (const url of [
    `${served.url}/prometheus`,
    `${served.metricsUrl}/metrics`,
    `${served.metricsUrl}/prometheus`,
  ]) {
    const other = await fetch(url);
    assert.equal(other.status, 200, url);
    assert.match(other.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    assert.match(await other.text(), /seldon_api_executor_server_requests_seconds_bucket/);
  }
  const series = (name: string, code: string): RegExp =>
    new RegExp(
      `^${name}\\{code="${code}",deployment_name="sdep",method="post",model_image="NOT_IMPLEMENTED",model_name="classifier",model_version="NOT_IMPLEMENTED",predictor_name="NOT_IMPLEMENTED",predictor_version="NOT_IMPLEMENTED",service="predictions"\\} 1\\.0$`,
      "m",
    );
  assert.match(page, series("seldon_api_executor_server_requests_seconds_count", "200"));
  assert.match(page, series("seldon_api_executor_server_requests_seconds_count", "500"));
  for (const line of ["slipway_ready", "slipway_workers", "slipway_workers_ready"])
    assert.match(page, new RegExp(`^${line}\\{model_name="classifier"\\} 1\\.0$`, "m"));
  for (const line of [
    "slipway_queue_requests",
    "slipway_running_requests",
    "slipway_inflight_requests",
    "slipway_expected_wait_seconds",
    "slipway_worker_restarts_total",
  ])
    assert.match(page, new RegExp(`^${line}\\{model_name="classifier"\\} 0\\.0$`, "m"));
  assert.match(page, /^process_start_time_seconds \d/m);
});

test("every request has an id in the answer and on the lines of its user code; the caller's own is kept", async (t) => {
  await using served = await startEntry(t, { source: IDENTITY, args: ["--access-log", "true"] });
  if (served === undefined) return;
  const made = (await served.predict([[1]])).headers.get("seldon-puid") ?? "";
  assert.match(made, /^[0-9a-f]{10}-1$/);
  await served.line(({ msg, puid }) => msg === "in predict" && puid === made);
  assert.equal(
    (await served.predict([[1]], { "seldon-puid": "mine" })).headers.get("seldon-puid"),
    "mine",
  );
  await served.line(({ msg, puid }) => msg === "in predict" && puid === "mine");
  const body = JSON.stringify({ meta: { puid: "inside" }, data: { ndarray: [[1]] } });
  const inside = await fetch(`${served.url}/predict`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  assert.equal(inside.headers.get("seldon-puid"), "inside");
  const line = await served.line(({ msg, puid }) => msg === "request" && puid === "inside");
  assert.deepEqual(
    [line["endpoint"], line["method"], line["path"], line["code"]],
    ["predictions", "post", "/predict", "200"],
  );
  const odd = await fetch(`${served.url}/predict`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ meta: { puid: "a\nb" }, data: { ndarray: [[1]] } }),
  });
  assert.deepEqual([odd.status, odd.headers.get("seldon-puid")], [200, null]);
});

test("spans go to the collector: one of the request below its caller, one of the model call below that, and user code sees the latter", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const source = `
import sys, types
seen = []
context = types.ModuleType("opentelemetry.context")
context.attach = lambda value: seen.append(value)
context.detach = lambda token: seen.append("detached")
propagate = types.ModuleType("opentelemetry.propagate")
propagate.extract = lambda carrier: carrier["traceparent"]
package = types.ModuleType("opentelemetry")
package.context, package.propagate = context, propagate
sys.modules.update({"opentelemetry": package, "opentelemetry.context": context, "opentelemetry.propagate": propagate})
class Model:
    def predict(self, X, names):
        return list(seen)
`;
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b",
    OTEL_SERVICE_NAME: "iris",
    OTEL_BSP_SCHEDULE_DELAY: "20",
  };
  await using served = await startEntry(t, { source, env });
  if (served === undefined) return;
  const answer = (await (
    await served.predict([[1]], { traceparent: CALLER, "seldon-puid": "p1" })
  ).json()) as { data: { ndarray: string[] } };
  const first = await collector.next();
  assert.deepEqual(
    [first.path, first.headers["content-type"], first.headers["x-key"]],
    ["/v1/traces", "application/json", "a b"],
  );
  const { resource, spans } = spansOf(first);
  assert.deepEqual(resource, [{ key: "service.name", value: { stringValue: "iris" } }]);
  const server = spans.find(({ kind }) => kind === 2)!;
  const model = spans.find(({ kind }) => kind === 1)!;
  assert.deepEqual(
    [server.traceId, server.parentSpanId, server.name],
    ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "POST /api/v1.0/predictions"],
  );
  assert.deepEqual(
    [model.traceId, model.parentSpanId, model.name],
    [server.traceId, server.spanId, "model predict"],
  );
  assert.deepEqual(answer.data.ndarray, [`00-${model.traceId}-${model.spanId}-01`]);
  assert.ok(
    BigInt(server.startTimeUnixNano) <= BigInt(model.startTimeUnixNano) &&
      BigInt(model.endTimeUnixNano) <= BigInt(server.endTimeUnixNano),
  );
  assert.ok(
    server.attributes.some(
      ({ key, value }) => key === "http.response.status_code" && value["intValue"] === "200",
    ),
  );
  assert.ok(
    server.attributes.some(
      ({ key, value }) => key === "seldon.puid" && value["stringValue"] === "p1",
    ),
  );
  assert.deepEqual(server.status, {});
  // A caller that records nothing is followed; a failure is marked.
  await served.predict([[1]], { traceparent: CALLER.replace(/01$/, "00") });
  await served.predict([[1], [1, 2]]);
  const failed = spansOf(await collector.next()).spans;
  assert.ok(failed.every(({ traceId }) => traceId !== server.traceId));
  assert.equal(failed.find(({ kind }) => kind === 2)?.status.code, 2);
});

test("spans that wait are sent before the server ends, and a collector that is away harms nobody", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  await using served = await startEntry(t, {
    source: IDENTITY,
    env: {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/own`,
      OTEL_BSP_SCHEDULE_DELAY: "600000",
    },
  });
  if (served === undefined) return;
  await served.predict([[1]]);
  served.child.kill("SIGTERM");
  assert.equal((await collector.next()).path, "/own");
  assert.equal((await served.ended).code, 0);

  await using alone = await startEntry(t, {
    source: IDENTITY,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_BSP_SCHEDULE_DELAY: "1" },
  });
  if (alone === undefined) return;
  assert.equal((await alone.predict([[1]])).status, 200);
  assert.match(
    (await alone.line(({ msg }) => msg.startsWith("export spans: "))).msg,
    /ECONNREFUSED|bad port/,
  );
  assert.match(
    await (await fetch(`${alone.url}/metrics`)).text(),
    /^slipway_spans_lost_total\{.*\} [1-9]/m,
  );
});

test("requests and answers are appended to a file, without the keys that are to be hidden", async (t) => {
  await using served = await startEntry(t, {
    source: IDENTITY,
    env: { SLIPWAY_REQUEST_LOG: "requests.jsonl", SLIPWAY_REQUEST_LOG_REDACT: "names,Secret" },
  });
  if (served === undefined) return;
  const send = (body: string): Promise<Response> =>
    fetch(`${served.url}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json", "seldon-puid": "p" },
      body,
    });
  await send('{"data":{"names":["x"],\n"ndarray":[[1.50]]},"meta":{"tags":{"secret":{"deep":1}}}}');
  await send("no JSON");
  served.child.kill("SIGTERM");
  assert.equal((await served.ended).code, 0);
  const lines = (await readFile(join(served.folder, "requests.jsonl"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ kind, id, endpoint, code }) => [kind, id, endpoint, code]),
    [
      ["request", "p", "predictions", "200"],
      ["response", "p", "predictions", "200"],
      ["request", "p", "predictions", "400"],
      ["response", "p", "predictions", "400"],
    ],
  );
  assert.deepEqual(lines[0]!["body"], {
    data: { names: "[redacted]", ndarray: [[1.5]] },
    meta: { tags: { secret: "[redacted]" } },
  });
  assert.equal(lines[2]!["isOmitted"], true);
  assert.equal(lines[2]!["body"], undefined);
});

test("requests are posted as the events of Seldon's request logger, and a sink that refuses is counted", async (t) => {
  const sink = await startCollector();
  t.after(() => sink.close());
  const env = {
    SLIPWAY_REQUEST_LOG: sink.url,
    PREDICTIVE_UNIT_ID: "classifier",
    SELDON_DEPLOYMENT_ID: "sdep",
    PREDICTOR_ID: "main",
    POD_NAMESPACE: "ns",
  };
  await using served = await startEntry(t, { source: IDENTITY, env });
  if (served === undefined) return;
  await served.predict([[1]], { "seldon-puid": "p1" });
  const [request, response] = [await sink.next(), await sink.next()];
  const {
    "ce-id": id,
    "ce-time": time,
    ...rest
  } = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => name.startsWith("ce-")),
  );
  assert.ok(id !== undefined && time !== undefined);
  assert.deepEqual(rest, {
    "ce-specversion": "1.0",
    "ce-type": "io.seldon.serving.inference.request",
    "ce-source": "/classifier",
    "ce-requestid": "p1",
    "ce-modelid": "classifier",
    "ce-inferenceservicename": "sdep",
    "ce-namespace": "ns",
    "ce-endpoint": "main",
    "ce-protocol": "seldon",
  });
  assert.deepEqual(JSON.parse(request.body), { data: { ndarray: [[1]] } });
  assert.equal(response.headers["ce-type"], "io.seldon.serving.inference.response");
  assert.equal(response.headers["ce-requestid"], "p1");

  const refusing = await startCollector(500);
  t.after(() => refusing.close());
  await using other = await startEntry(t, {
    source: IDENTITY,
    env: { SLIPWAY_REQUEST_LOG: refusing.url, SLIPWAY_REQUEST_LOG_MODE: "request" },
  });
  if (other === undefined) return;
  assert.equal((await other.predict([[1]])).status, 200);
  await other.line(({ msg }) => /^log requests: .* answered 500$/.test(msg));
  assert.match(
    await (await fetch(`${other.url}/metrics`)).text(),
    /^slipway_request_log_lost_total\{.*\} 1\.0$/m,
  );
});

test("a bad setting stops the start with its name", async (t) => {
  const { spawnEntry } = await import("./serve-support.ts");
  await using entry = await spawnEntry(t, {
    source: IDENTITY,
    env: { SLIPWAY_REQUEST_LOG: "-", SLIPWAY_REQUEST_LOG_SAMPLE: "half" },
  });
  if (entry === undefined) return;
  assert.equal((await entry.ended).code, 2);
  assert.match(entry.log.at(-1)?.msg ?? "", /SLIPWAY_REQUEST_LOG_SAMPLE: "half"/);
});
