import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { ImageConfig } from "../../images/oci/index.ts";
import { parseMount, parsePort } from "./run-command.ts";
import { httpPortOf, portsOf } from "./run-options.ts";
import { sampleRequest, sampleRequestOf } from "./sample-request.ts";

const usage = { code: "USAGE" };

function configWith(config: ImageConfig["config"]): ImageConfig {
  return {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [] },
    ...(config === undefined ? {} : { config }),
  };
}

test("ports are written as docker writes them", () => {
  assert.deepEqual(parsePort("8080:9000"), { containerPort: 9000, hostPort: 8080 });
  assert.deepEqual(parsePort("9000"), { containerPort: 9000 });
  assert.deepEqual(parsePort("0.0.0.0:8080:9000/tcp"), {
    containerPort: 9000,
    hostPort: 8080,
    host: "0.0.0.0",
  });
  assert.deepEqual(parsePort("[::1]:8080:9000"), {
    containerPort: 9000,
    hostPort: 8080,
    host: "::1",
  });
  assert.deepEqual(parsePort("127.0.0.1::9000"), { containerPort: 9000, host: "127.0.0.1" });
  for (const text of ["", "x", "80:x", "9000/udp", "99999", "1:2:3:4"])
    assert.throws(() => parsePort(text), usage, text);
});

test("a mount's source may be relative, its target not", () => {
  assert.deepEqual(parseMount("data:/data:ro", "/work"), {
    source: "/work/data",
    target: "/data",
    readOnly: true,
  });
  assert.deepEqual(parseMount("/a:/b", "/work"), { source: "/a", target: "/b", readOnly: false });
  for (const text of ["data", "data:data", "data:/data:rx", ":/data"])
    assert.throws(() => parseMount(text, "/work"), usage, text);
});

test("the published port is the one that the label names, else the first exposed one", () => {
  const labelled = configWith({
    ExposedPorts: { "5000/tcp": {} },
    Labels: { "dev.slipway.model": '{"ports":{"http":9000}}' },
  });
  assert.equal(httpPortOf(labelled), 9000);
  assert.deepEqual(portsOf([], labelled), [{ containerPort: 9000, hostPort: 9000 }]);
  assert.deepEqual(portsOf([parsePort("1:2")], labelled), [{ containerPort: 2, hostPort: 1 }]);
  assert.equal(httpPortOf(configWith({ ExposedPorts: { "53/udp": {}, "80/tcp": {} } })), 80);
  assert.deepEqual(portsOf([], configWith(undefined)), []);
});

test("the example request has the model's own shape", () => {
  const model = {
    contract: "seldon",
    signature: { inputs: [{ name: "x", datatype: "FP32", shape: [-1, 4] }] },
  };
  assert.equal(
    sampleRequest("http://h:1", model),
    `curl -s http://h:1/predict -H 'Content-Type: application/json' -d '{"data":{"ndarray":[[0,0,0,0]]}}'`,
  );
  assert.match(sampleRequest("http://h:1", {}), /\[\[0,0,0\]\]|\[0,0,0\]/);
  assert.match(
    sampleRequest("http://h:1", { signature: { inputs: [{ shape: [1, 224, 224, 3] }] } }),
    /openapi\/examples\/seldon\/model \| curl -s http:\/\/h:1\/predict /,
  );
  assert.match(sampleRequest("http://h:1", { contract: "uai" }), /h:1\/service/);
  const [a, b] = ["a", "b"].map((name) => ({ name, datatype: "FP32", shape: [-1, 2] }));
  assert.match(
    sampleRequest("http://h:1", { signature: { inputs: [a ?? {}, b ?? {}] } }),
    /\{"jsonData":\{"a":\[\[0,0\]\],"b":\[\[0,0\]\]\}\}/,
  );
});

test("where the image does not know the shape of the input, the running model's metadata does", async (t) => {
  const answers = new Map<string, string>([
    [
      "/seldon/metadata",
      '{"inputs":[{"messagetype":"tensor","schema":{"names":["a","b"],"shape":[2]}}]}',
    ],
    ["/v2/metadata", '{"inputs":[{"name":"x","datatype":"FP64","shape":[-1,2]}]}'],
    ["/none/metadata", '{"inputs":[]}'],
    ["/hostile/metadata", '[[["'],
  ]);
  const server = createServer(
    (request, response) => void response.end(answers.get(request.url ?? "") ?? "no"),
  );
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const shown = (name: string): Promise<string> =>
    sampleRequestOf(`http://127.0.0.1:${port}/${name}`, { contract: "seldon" }, t.signal).then(
      (line) => /-d '(.*)'/.exec(line)?.[1] ?? "",
    );
  for (const name of ["seldon", "v2"])
    assert.equal(await shown(name), '{"data":{"ndarray":[[0,0]]}}', name);
  for (const name of ["none", "hostile", "absent"])
    assert.equal(await shown(name), '{"data":{"ndarray":[[0,0,0]]}}', name);
});
