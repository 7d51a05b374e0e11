// The process behind grpc-load.ts: one HTTP/2 connection of node:http2 with so many unary calls in flight on it.
import { readFileSync } from "node:fs";
import { connect, constants, type ClientHttp2Session } from "node:http2";
import type { GrpcLoadPlan, GrpcLoadRequest, GrpcLoadResult } from "./grpc-load.ts";

const {
  port,
  path,
  messageFile,
  inFlight,
  connections = 1,
  seconds,
  warmUp = 1,
} = JSON.parse(process.argv[2] ?? "{}") as GrpcLoadRequest & GrpcLoadPlan;
const message = readFileSync(messageFile);
const prefix = Buffer.alloc(5);
prefix.writeUInt32BE(message.byteLength, 1);
const body = Buffer.concat([prefix, message]);
const headers = {
  ":method": "POST",
  ":path": path,
  "content-type": "application/grpc",
  te: "trailers",
};

const countFrom = performance.now() + warmUp * 1000;
const endAt = countFrom + seconds * 1000;
const latencies: number[] = [];
let errors = 0;
let answerBytes = 0;

function call(session: ClientHttp2Session): void {
  const startedAt = performance.now();
  if (startedAt >= endAt) return;
  let size = 0;
  let isOk = false;
  const stream = session.request(headers, { endStream: false });
  const look = (fields: Record<string, unknown>): void =>
    void (isOk = fields["grpc-status"] === "0");
  stream.on("trailers", look);
  stream.on("response", (fields) => fields["grpc-status"] !== undefined && look(fields));
  stream.on("data", (chunk: Buffer) => (size += chunk.byteLength));
  stream.on("error", () => undefined);
  stream.on("close", () => {
    const now = performance.now();
    answerBytes = size;
    if (now >= countFrom && now < endAt) {
      if (isOk) latencies.push(now - startedAt);
      else errors += 1;
    }
    call(session);
  });
  stream.end(body);
}

for (let index = 0; index < connections; index += 1) {
  const session = connect(`http://127.0.0.1:${port}`, {
    settings: { initialWindowSize: 8 * 2 ** 20 },
  });
  session.on("error", (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  session.once("connect", () => {
    session.setLocalWindowSize(32 * 2 ** 20);
    for (let running = 0; running < inFlight / connections; running += 1) call(session);
  });
}

setTimeout(
  () => {
    latencies.sort((a, b) => a - b);
    const at = (share: number): number =>
      latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
    const result: GrpcLoadResult = {
      rps: latencies.length / seconds,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      errors,
      answerBytes,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`, () =>
      process.exit(constants.NGHTTP2_NO_ERROR),
    );
  },
  endAt - performance.now() + 50,
);
