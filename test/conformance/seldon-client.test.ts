import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { pythonEnv } from "../support/python-env.ts";
import { CLASS_PACKAGES, startOurs, WRAPPER_PACKAGES } from "../support/seldon/servers.ts";

/** Asks through Seldon's own client, and prints what it understood. */
const SCRIPT = `
import json, sys
import numpy as np
from seldon_core.seldon_client import SeldonClient
from seldon_core.utils import seldon_message_to_json as plain
client = SeldonClient(microservice_endpoint="127.0.0.1:" + sys.argv[1])
data = np.array([[1.0, 2.0]])
out = {}
for kind in ("tensor", "ndarray"):
    answer = client.microservice(data=data, method="predict", transport="rest", payload_type=kind, names=["a", "b"])
    out[kind] = [answer.success, plain(answer.response)]
out["text"] = plain(client.microservice(str_data="words", method="predict", transport="rest").response)
out["json"] = plain(client.microservice(json_data={"a": [1]}, method="predict", transport="rest").response)
out["bytes"] = plain(client.microservice(bin_data=b"ab", method="predict", transport="rest").response)
out["transform"] = client.microservice(data=data, method="transform-input", transport="rest").success
print(json.dumps(out))
`;

test("Seldon's own client understands the answers", async (t) => {
  const [client, classes] = [
    await pythonEnv(t, { packages: WRAPPER_PACKAGES }),
    await pythonEnv(t, { packages: CLASS_PACKAGES }),
  ];
  if (client === undefined || classes === undefined) return;
  await using server = await startOurs({ name: "Echo" }, classes.python);
  const { stdout } = await run([client.python, "-c", SCRIPT, String(server.http)], {
    timeoutMs: 60_000,
  });
  const names = ["t:0", "t:1"];
  assert.deepEqual(JSON.parse(stdout.toString()), {
    tensor: [true, { data: { names, tensor: { shape: [1, 2], values: [1, 2] } }, meta: {} }],
    ndarray: [true, { data: { names, ndarray: [[1, 2]] }, meta: {} }],
    text: { strData: "words", meta: {} },
    json: { jsonData: { a: [1] }, meta: {} },
    bytes: { binData: "YWI=", meta: {} },
    transform: true,
  });
});
