import assert from "node:assert/strict";
import { connect } from "node:http2";
import { test } from "node:test";
import { healthMethods, startGrpcServer } from "./index.ts";

const frame = (message: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, 0, message.byteLength]), message]);
const request = (service: string): Buffer =>
  frame(Buffer.concat([Buffer.from([10, service.length]), Buffer.from(service)]));
const state = (value: number): Buffer => frame(Buffer.from([8, value]));

test("Check answers for known services, and Watch tells changes until the server stops", async () => {
  let isReady = true;
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    maxMessageBytes: 1000,
    methods: healthMethods({ services: ["a.B"], isReady: () => isReady }),
  });
  const session = connect(`http://127.0.0.1:${server.port}`);
  const ask = (
    method: string,
    service: string,
    onData: (bytes: Buffer) => void = () => undefined,
  ): Promise<readonly [status: string, body: Buffer]> => {
    const stream = session.request(
      {
        ":method": "POST",
        ":path": `/grpc.health.v1.Health/${method}`,
        "content-type": "application/grpc",
      },
      { endStream: false },
    );
    const body: Buffer[] = [];
    let status = "";
    stream.on("response", (fields) => (status = String(fields["grpc-status"] ?? "")));
    stream.on("trailers", (fields) => (status = String(fields["grpc-status"] ?? "")));
    stream.on("data", (bytes: Buffer) => {
      body.push(bytes);
      onData(bytes);
    });
    stream.end(request(service));
    return new Promise((resolve) =>
      stream.once("close", () => resolve([status, Buffer.concat(body)])),
    );
  };
  assert.deepEqual(await ask("Check", ""), ["0", state(1)]);
  assert.deepEqual(await ask("Check", "a.B"), ["0", state(1)]);
  assert.deepEqual(await ask("Check", "a.C"), ["5", Buffer.alloc(0)]);
  const changed = Promise.withResolvers<void>();
  const watched = ask("Watch", "a.B", (bytes) => {
    if (bytes.equals(state(1))) isReady = false;
    else changed.resolve();
  });
  await changed.promise;
  assert.deepEqual(await ask("Check", "a.B"), ["0", state(2)]);
  await server.stop();
  assert.deepEqual(await watched, ["14", Buffer.concat([state(1), state(2)])]);
});
