import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { pythonEnv } from "../support/python-env.ts";
import { CLASS_PACKAGES, startOurs } from "../support/seldon/servers.ts";
import { json, send } from "../support/seldon/wire.ts";

// What is offered beside the wrapper's own ways. Where we answer otherwise than it does, seldon-recorded.test.ts has the case.

test("numbers beside text stay numbers when that is asked for", async (t) => {
  const environment = await pythonEnv(t, { packages: CLASS_PACKAGES });
  if (environment === undefined) return;
  const row = json("/predict", { data: { ndarray: [["a", 1, 2.5]] } });
  const ask = async (env: Readonly<Record<string, string>>): Promise<unknown> => {
    await using server = await startOurs({ name: "Args", env }, environment.python);
    return (JSON.parse((await send(server.http, row)).body) as { jsonData: { X: unknown } })
      .jsonData.X;
  };
  assert.deepEqual(await ask({ SLIPWAY_TYPED_ARRAYS: "1" }), {
    type: "ndarray",
    dtype: "O",
    shape: [1, 3],
    values: "[['a', 1, 2.5]]",
  });
  assert.deepEqual(await ask({}), {
    type: "ndarray",
    dtype: "U",
    shape: [1, 3],
    values: "[['a', '1', '2.5']]",
  });
});

test("arrays are held against the declared shape, unless that is not wanted", async (t) => {
  const environment = await pythonEnv(t, { packages: CLASS_PACKAGES });
  if (environment === undefined) return;
  const metadata = {
    MODEL_METADATA: JSON.stringify({
      inputs: [{ messagetype: "tensor", schema: { shape: [-1, 2] } }],
    }),
  };
  await using server = await startOurs({ name: "Echo", env: metadata }, environment.python);
  const ask = async (data: object): Promise<number> =>
    (await send(server.http, json("/predict", { data }))).status;
  assert.deepEqual(
    await Promise.all([
      ask({ ndarray: [[1, 2]] }),
      ask({ tensor: { shape: [1, 3, 2], values: [1, 2, 3, 4, 5, 6] } }),
      ask({ ndarray: [[1, 2, 3]] }),
      ask({ ndarray: [1, 2] }),
    ]),
    [200, 200, 400, 400],
  );
  const refused = await send(server.http, json("/predict", { data: { ndarray: [[1, 2, 3]] } }));
  assert.ok(
    refused.body.includes("the array has shape (1,3), and the model's metadata declares (-1,2)"),
    refused.body,
  );
  for (const more of [
    { SLIPWAY_CHECK_SHAPES: "0" },
    { SELDON_STRICT_COMPAT: "1" },
    { MODEL_METADATA: '{"inputs":[{"messagetype":"tensor","other":1}]}' },
    { MODEL_METADATA: '{"inputs":[{"name":"a","datatype":"FP32","shape":[1,1]}]}' },
  ]) {
    await using open = await startOurs(
      { name: "Echo", env: { ...metadata, ...more } },
      environment.python,
    );
    assert.equal(
      (await send(open.http, json("/predict", { data: { ndarray: [[1], [2]] } }))).status,
      200,
    );
  }
});

test("custom_service runs beside the model, and ends with the server", async (t) => {
  const environment = await pythonEnv(t, { packages: CLASS_PACKAGES });
  if (environment === undefined) return;
  const server = await startOurs({ name: "Service" }, environment.python);
  const answer = await send(server.http, json("/predict", { data: { ndarray: [1] } }));
  const { port } = (JSON.parse(answer.body) as { jsonData: { port: number } }).jsonData;
  assert.equal(await greeting(port), "custom");
  await server[Symbol.asyncDispose]();
  await assert.rejects(greeting(port), { code: "ECONNREFUSED" });
});

/** What a server says to whoever connects. */
async function greeting(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}
