import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import { startEntry, type Served } from "./serve-support.ts";

/** Gives back what it got, where that is small; else the number of values, so that no time goes into answers. */
const COUNTS = `
import numpy as np
class Model:
    def predict(self, X, names):
        return X if np.size(X) <= 200000 else np.array([np.size(X)])
`;
const MIB = 2 ** 20;
const BAR_MS = 100;
/** Tries, of which the best counts, since other programs take the processor too. */
const RUNS = 3;
const PROBE = resolve(import.meta.dirname, "../support/probe-thread.ts");

/**
 * The longest wait of a probe while something is under way, in ms. The clock of a loaded machine is late now and then by its own fault, so the
 * second longest counts.
 */
async function longestProbe(served: Served, work: () => Promise<unknown>): Promise<number> {
  const thread = new Worker(PROBE, { workerData: `${served.url}/live` });
  const times = once(thread, "message") as Promise<[readonly number[]]>;
  await once(thread, "online");
  await work();
  thread.postMessage("stop");
  const [found] = await times;
  return found.toSorted((a, b) => b - a)[Math.min(1, found.length - 1)] ?? 0;
}

async function post(served: Served, path: string, body: Buffer): Promise<Response> {
  return fetch(`${served.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new Uint8Array(body),
  });
}

async function started(t: TestContext): Promise<Served | undefined> {
  const served = await startEntry(t, { source: COUNTS });
  if (served === undefined) return undefined;
  await served.predict([[1]]); // the worker is warm
  return served;
}

function around(head: string, item: string, tail: string, bytes: number): Buffer {
  return Buffer.from(`${head}${item.repeat(Math.floor(bytes / item.length))}${tail}`);
}

const SELDON = "/api/v1.0/predictions";

test("probes are answered at once while bodies of every bad shape are read", async (t) => {
  await using served = await started(t);
  if (served === undefined) return;
  const bodies: readonly (readonly [name: string, path: string, body: Buffer])[] = [
    ["floats", SELDON, around('{"data":{"ndarray":[', "0.8414709848078965,", "1]}}", 20 * MIB)],
    ["empty lists", SELDON, around('{"data":{"ndarray":[', "[],", "[]]}}", 30 * MIB)],
    ["ragged lists", SELDON, around('{"data":{"ndarray":[[1],', "[],", "[]]}}", 10 * MIB)],
    ["one long integer", SELDON, around('{"data":{"ndarray":[', "7", "]}}", 10 * MIB)],
    ["many names", SELDON, around('{"data":{"names":[', '"a",', '"a"],"ndarray":[1]}}', 5 * MIB)],
    [
      "a large meta",
      SELDON,
      around('{"meta":{"tags":{"a":[', "[],", '1]}},"strData":"a"}', 5 * MIB),
    ],
    ["many messages", "/aggregate", around("[", '{"strData":""},', '{"strData":""}]', 5 * MIB)],
    ["a broken end", SELDON, around('{"data":{"ndarray":[', "1.5,", "x", 5 * MIB)],
    [
      "V2 texts",
      "/v2/models/Model/infer",
      around(
        '{"inputs":[{"name":"a","shape":[1],"datatype":"BYTES","data":[',
        '"",',
        '""]}]}',
        5 * MIB,
      ),
    ],
    [
      "V2 parameters",
      "/v2/models/Model/infer",
      around('{"parameters":{', '"a":1,', '"a":1},"inputs":[]}', 5 * MIB),
    ],
    [
      "V1 rows",
      "/v1/models/Model:predict",
      around('{"instances":[', "[1.25],", "[1.5]]}", 5 * MIB),
    ],
    [
      "feedback",
      "/send-feedback",
      around('{"request":{"data":{"ndarray":[', "[],", "[]]}}}", 10 * MIB),
    ],
  ];
  for (const [name, path, body] of bodies) {
    let status = 0;
    const send = async (): Promise<void> => {
      const response = await post(served, path, body);
      await response.arrayBuffer();
      ({ status } = response);
    };
    let longest = Infinity;
    for (let run = 0; run < RUNS && longest >= BAR_MS; run += 1)
      longest = Math.min(longest, await longestProbe(served, send));
    t.diagnostic(`${name}: ${status}, ${longest.toFixed(1)} ms`);
    assert.ok(longest < BAR_MS, `${name}: a probe took ${longest.toFixed(0)} ms`);
    assert.ok([200, 400, 413, 500, 501].includes(status), `${name}: ${status}`);
  }
});

test("probes are answered at once while gRPC messages of every bad shape are read", async (t) => {
  const args = ["--grpc-workers", "1", "--grpc-port", "0"];
  await using served = await startEntry(t, { source: COUNTS, args });
  if (served === undefined) return;
  await served.predict([[1]]);
  const { ports } = await served.line(({ msg }) => msg === "ready");
  const { grpc } = ports as { readonly grpc: number };
  const client = connect(`http://127.0.0.1:${grpc}`);
  t.after(() => client.destroy());
  for (const [name, path, message] of protoMessages()) {
    let status: string | undefined;
    const send = async (): Promise<void> => {
      status = (await callGrpc(client, path, message)).status;
    };
    let longest = Infinity;
    for (let run = 0; run < RUNS && longest >= BAR_MS; run += 1)
      longest = Math.min(longest, await longestProbe(served, send));
    t.diagnostic(`${name}: ${status}, ${longest.toFixed(1)} ms`);
    assert.ok(longest < BAR_MS, `${name}: a probe took ${longest.toFixed(0)} ms`);
    assert.match(status ?? "none", /^(?:0|2|3|8|12|13)$/, name);
  }
});

test("a large gRPC message gets the same answer as a small one, and a broken one is refused as one", async (t) => {
  const args = ["--grpc-workers", "1", "--grpc-port", "0"];
  await using served = await startEntry(t, { source: COUNTS, args });
  if (served === undefined) return;
  const { ports } = await served.line(({ msg }) => msg === "ready");
  const { grpc } = ports as { readonly grpc: number };
  const client = connect(`http://127.0.0.1:${grpc}`);
  t.after(() => client.destroy());
  const values = (count: number): Buffer =>
    field(26, field(26, Buffer.concat(Array.from({ length: count }, (_, at) => listItem(at / 4)))));
  for (const count of [3, 100_000]) {
    const meta = field(18, field(10, Buffer.from("the-id")));
    const { status, headers, body } = await callGrpc(
      client,
      "/seldon.protos.Model/Predict",
      Buffer.concat([meta, values(count)]),
    );
    assert.equal(status, "0");
    assert.equal(headers["seldon-puid"], "the-id");
    assert.ok(body.includes(values(count).subarray(-60)), `${count} values come back`);
  }
  const broken = Buffer.concat([values(100_000), Buffer.of(0x1a, 0x05)]);
  const { status } = await callGrpc(client, "/seldon.protos.Model/Predict", broken);
  assert.equal(status, "13"); // as for a small one
  assert.equal(
    (await callGrpc(client, "/seldon.protos.Model/Predict", Buffer.of(0x1a, 0x05))).status,
    "13",
  );
});

/** A length-delimited field. */
function field(tag: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(tag), varint(bytes.byteLength), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}

/** A number as an element of a `ListValue`. */
function listItem(value: number): Buffer {
  const bytes = Buffer.of(0x0a, 0x09, 0x11, 0, 0, 0, 0, 0, 0, 0, 0);
  bytes.writeDoubleLE(value, 3);
  return bytes;
}

function protoMessages(): readonly (readonly [name: string, path: string, message: Buffer])[] {
  const fill = (bytes: number, ...item: readonly number[]): Buffer =>
    Buffer.alloc(bytes - (bytes % item.length), Buffer.from(item));
  const [seldon, v2] = [
    "/seldon.protos.Model/Predict",
    "/inference.GRPCInferenceService/ModelInfer",
  ];
  const inV2 = (contents: Buffer, datatype: string): Buffer =>
    Buffer.concat([
      field(10, Buffer.from("Model")),
      field(
        42,
        Buffer.concat([
          field(10, Buffer.from("x")),
          field(18, Buffer.from(datatype)),
          Buffer.of(0x18, 1),
          field(42, contents),
        ]),
      ),
    ]);
  const numbers = Buffer.alloc(11 * 2 * MIB, listItem(0.1));
  return [
    ["numbers of a list", seldon, field(26, field(26, numbers))],
    ["empty lists", seldon, field(26, field(26, fill(20 * MIB, 0x0a, 2, 0x32, 0)))],
    ["many names", seldon, field(26, fill(5 * MIB, 0x0a, 1, 0x61))],
    ["a long shape", seldon, field(26, field(18, field(10, fill(15 * MIB, 1))))],
    ["doubles", seldon, field(26, field(18, field(18, Buffer.alloc(80 * MIB))))],
    ["tags", seldon, field(18, fill(5 * MIB, 0x12, 3, 0x0a, 1, 0x61))],
    ["fields that nobody knows", seldon, fill(15 * MIB, 0xa0, 6, 0)],
    ["many messages", "/seldon.protos.Combiner/Aggregate", fill(10 * MIB, 0x0a, 0)],
    ["V2 texts", v2, inV2(fill(10 * MIB, 0x42, 0), "BYTES")],
    ["V2 integers", v2, inV2(field(26, fill(15 * MIB, 1)), "INT64")],
    ["V2 parameters", v2, fill(10 * MIB, 0x22, 5, 0x0a, 1, 0x61, 0x12, 0)],
    ["V2 raw parts", v2, fill(10 * MIB, 0x3a, 0)],
    ["a large name", "/inference.GRPCInferenceService/ModelMetadata", fill(5 * MIB, 0xa0, 6, 0)],
  ];
}

interface GrpcAnswer {
  readonly status: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One unary call of bytes. */
async function callGrpc(
  client: ClientHttp2Session,
  path: string,
  message: Buffer,
): Promise<GrpcAnswer> {
  const stream = client.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  const chunks: Buffer[] = [];
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on("response", (found) => (headers = found));
  stream.on("trailers", (found) => (trailers = found));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => undefined); // a refusal may come before all was sent
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  stream.end(Buffer.concat([prefix, message]));
  await once(stream, "close");
  const status = trailers["grpc-status"] ?? headers["grpc-status"];
  return {
    status: typeof status === "string" ? status : undefined,
    headers,
    body: Buffer.concat(chunks),
  };
}

test("large requests get the same answers as small ones, in every JSON protocol", async (t) => {
  await using served = await started(t);
  if (served === undefined) return;
  const values = Array.from({ length: 100_000 }, (_, index) => Math.sin(index));
  const seldon = await post(
    served,
    SELDON,
    Buffer.from(
      JSON.stringify({
        meta: { puid: "p", tags: { a: 1.0, b: "2" } },
        data: { names: ["x"], ndarray: values },
      }),
    ),
  );
  const answer = (await seldon.json()) as { data: { ndarray: number[] }; meta: { tags: object } };
  assert.deepEqual(answer.data.ndarray, values);
  assert.deepEqual(answer.meta.tags, { a: 1, b: "2" });
  assert.equal(seldon.headers.get("seldon-puid"), "p");
  const tensor = await post(
    served,
    SELDON,
    Buffer.from(JSON.stringify({ data: { tensor: { shape: [100_000], values } } })),
  );
  assert.deepEqual(((await tensor.json()) as { data: { tensor: unknown } }).data.tensor, {
    shape: [100_000],
    values,
  });
  const v1 = await post(
    served,
    "/v1/models/Model:predict",
    Buffer.from(JSON.stringify({ instances: values })),
  );
  assert.deepEqual(((await v1.json()) as { predictions: number[] }).predictions, values);
  const input = { name: "x", shape: [100_000], datatype: "FP64", data: values };
  const v2 = await post(
    served,
    "/v2/models/Model/infer",
    Buffer.from(JSON.stringify({ id: "i", inputs: [input] })),
  );
  const { id, outputs } = (await v2.json()) as { id: string; outputs: { data: number[] }[] };
  assert.deepEqual([id, outputs[0]?.data], ["i", values]);
  const bytes = Buffer.alloc(MIB, 7).toString("base64");
  const binary = await post(
    served,
    "/transform-input",
    Buffer.from(JSON.stringify({ binData: bytes })),
  );
  assert.equal(((await binary.json()) as { binData: string }).binData, bytes);
  const wrong = await post(
    served,
    "/v2/models/Model/infer",
    Buffer.from(JSON.stringify({ inputs: [{ ...input, shape: [99_999] }] })),
  );
  assert.equal(wrong.status, 400);
  assert.match(await wrong.text(), /"error":"read the tensor \\"x\\": its data has more values/);
});
