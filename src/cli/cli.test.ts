import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { digestOf, type ImageConfig } from "../images/oci/index.ts";
import { nodeCheck } from "../app/check/check-machine.ts";
import { configChecks, layersCheck } from "../app/check/check-image.ts";
import type { Check } from "../app/check/checks.ts";
import { reportChecks } from "./render/checks.ts";
import { portsFrom } from "./commands/serve.ts";
import { parseLock } from "../app/pack/lock-file.ts";
import { epochOf } from "../app/settings.ts";
import { collectList, countOf, environmentOf, portOf } from "./options.ts";
import { registryHostOf } from "../app/places/registry-host.ts";
import { historyOf, modelOf } from "../app/image-label.ts";
import { createReporter } from "./render/create-reporter.ts";
import { configLines, modelLines } from "./render/image.ts";
import { httpPortOf, portsOf } from "../app/run/run-options.ts";
import { parseMount, parsePort } from "./run-words.ts";
import { sampleRequest, sampleRequestOf } from "../app/run/sample-request.ts";

const usage = { code: "USAGE" };

function configWith(config: ImageConfig["config"]): ImageConfig {
  return {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [] },
    ...(config === undefined ? {} : { config }),
  };
}

test("numbers of the command line are checked before anything happens", () => {
  assert.equal(portOf("0"), 0);
  assert.equal(portOf("65535"), 65_535);
  for (const text of ["65536", "-1", "80.5", "", "http", "1e3"])
    assert.throws(() => portOf(text), usage, text);
  assert.equal(countOf("12"), 12);
  for (const text of ["0", "-1", "1.5", "", "x"]) assert.throws(() => countOf(text), usage, text);
  assert.equal(epochOf(undefined), 0);
  assert.equal(epochOf("1700000000"), 1_700_000_000);
  assert.throws(() => epochOf("yesterday"), usage);
});

test("lists grow with every use of the option", () => {
  assert.deepEqual(collectList("python3, libgomp1,", ["curl"]), ["curl", "python3", "libgomp1"]);
});

test("a variable without a value comes from the environment, and a value never shows in an error", () => {
  assert.deepEqual(environmentOf(["A=1", "B=x=y", "C=", "HOME", "NOWHERE"], { HOME: "/h" }), {
    A: "1",
    B: "x=y",
    C: "",
    HOME: "/h",
  });
  assert.throws(
    () => environmentOf(["1BAD=hunter2"], {}),
    (error: Error) => !error.message.includes("hunter2") && error.message.includes("1BAD"),
  );
});

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
    /\[\[…\]\]/,
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

test("hosts of registries are taken as people write them", () => {
  assert.equal(registryHostOf("https://index.docker.io/v1/"), "docker.io");
  assert.equal(registryHostOf("Registry.Example.com/"), "registry.example.com");
  assert.equal(registryHostOf("http://localhost:5000"), "localhost:5000");
  assert.equal(registryHostOf("[::1]:5000"), "[::1]:5000");
  for (const text of ["", "a b", "user:pass@host", "-x"])
    assert.throws(() => registryHostOf(text), usage, text);
});

const DEBIAN_PACKAGE = {
  name: "python3",
  version: "3.11.2-1+b1",
  architecture: "amd64",
  size: 26_300,
  sha256: "0".repeat(64),
  url: "http://deb.debian.org/debian/pool/main/p/python3.deb",
};
const LOCK = {
  version: 1,
  suite: "bookworm",
  include: ["python3"],
  architectures: { amd64: [DEBIAN_PACKAGE] },
};

test("a lock file comes back as it was written", () => {
  assert.deepEqual(parseLock(JSON.stringify(LOCK), "l"), LOCK);
});

test("a lock file that was damaged is refused by the key", () => {
  const damaged: readonly (readonly [unknown, RegExp])[] = [
    ["[]", /not an object/],
    [{ ...LOCK, version: 2 }, /version/],
    [{ ...LOCK, architectures: { mips: [] } }, /mips/],
    [
      { ...LOCK, architectures: { amd64: [{ ...DEBIAN_PACKAGE, sha256: "0" }] } },
      /amd64\[0\]\.sha256/,
    ],
    [
      { ...LOCK, architectures: { amd64: [{ ...DEBIAN_PACKAGE, url: "file:///etc/passwd" }] } },
      /amd64\[0\]\.url/,
    ],
    [
      { ...LOCK, architectures: { amd64: [{ ...DEBIAN_PACKAGE, name: "../x" }] } },
      /amd64\[0\]\.name/,
    ],
    [{ ...LOCK, architectures: { amd64: [{ ...DEBIAN_PACKAGE, size: -1 }] } }, /amd64\[0\]\.size/],
  ];
  for (const [value, message] of damaged)
    assert.throws(() => parseLock(typeof value === "string" ? value : JSON.stringify(value), "l"), {
      code: "PROJECT_INVALID",
      message,
    });
  assert.throws(() => parseLock("{", "l"), { code: "PROJECT_INVALID" });
});

test("an image's facts are shown without control characters", () => {
  const config: ImageConfig = {
    ...configWith({
      User: "8888:0",
      Entrypoint: ["/bin/x", "two words"],
      Env: ["A=\u001b[31mred"],
      Labels: {
        "dev.slipway.model":
          '{"name":"m\\u001b","kind":"onnx","signature":{"inputs":[{"name":"x","datatype":"FP32","shape":[-1,4]}]}}',
      },
    }),
    history: [
      { created_by: "base" },
      { created_by: "ENV A", empty_layer: true },
      { comment: "top" },
    ],
    rootfs: { type: "layers", diff_ids: [digestOf(Buffer.from("a")), digestOf(Buffer.from("b"))] },
  };
  assert.deepEqual(historyOf(config), ["base", "top"]);
  const text = [...configLines(config), ...modelLines(config)].join("\n");
  assert.ok(!text.includes("\u001b"));
  assert.match(text, /entrypoint +\/bin\/x "two words"/);
  assert.match(text, /inputs +x FP32 \[\?, 4\]/);
});

test("a label that is no description counts as none", () => {
  for (const text of ["", "{", "[]", "null", "7"])
    assert.equal(modelOf(configWith({ Labels: { "dev.slipway.model": text } })), undefined, text);
  assert.doesNotThrow(() =>
    modelLines(
      configWith({
        Labels: {
          "dev.slipway.model":
            '{"name":7,"signature":{"inputs":{"a":1},"outputs":[null,{"shape":"x"}]}}',
        },
      }),
    ),
  );
});

const statuses = (checks: readonly Check[]): Readonly<Record<string, string>> =>
  Object.fromEntries(checks.map(({ name, status }) => [name, status]));

test("doctor tells an image that runs well from one that does not", () => {
  const good = configWith({
    User: "8888:0",
    Entrypoint: ["/opt/slipway/node"],
    ExposedPorts: { "9000/tcp": {} },
    Env: ["PATH=/bin"],
  });
  assert.deepEqual(statuses(configChecks(good)), {
    user: "ok",
    entrypoint: "ok",
    ports: "ok",
    model: "ok",
    environment: "ok",
  });
  const bad = configWith({
    User: "root:root",
    Entrypoint: ["/bin/sh", "-c", "x"],
    Env: ["API_KEY=hunter2"],
  });
  assert.deepEqual(statuses(configChecks(bad)), {
    user: "warn",
    entrypoint: "warn",
    ports: "warn",
    model: "ok",
    environment: "warn",
  });
  assert.ok(!JSON.stringify(configChecks(bad)).includes("hunter2"));
  assert.deepEqual(
    [layersCheck(3), layersCheck(127), layersCheck(128)].map(({ status }) => status),
    ["ok", "warn", "fail"],
  );
  assert.deepEqual(
    [nodeCheck("24.1.0"), nodeCheck("22.19.0"), nodeCheck("22.18.0"), nodeCheck("20.0.0")].map(
      ({ status }) => status,
    ),
    ["ok", "ok", "fail", "fail"],
  );
});

test("a failed check fails the command with its own code, and warnings do not", () => {
  const lines: string[] = [];
  const reporter = createReporter({
    streams: { out: (text) => void lines.push(text.trimEnd()), err: () => undefined },
    isJson: false,
    isQuiet: true,
    now: () => 0,
  });
  const check: Check = { name: "a", status: "warn", detail: "meh", hint: "do it" };
  reportChecks([check], "this", reporter);
  assert.deepEqual(lines, ["warn  a  meh", "", "a: do it"]);
  assert.throws(
    () =>
      reportChecks(
        [check, { name: "b", status: "fail", detail: "full", code: "DISK_FULL" }],
        "this",
        reporter,
      ),
    { code: "DISK_FULL", message: /1 of 2.*"b": full/ },
  );
});

test("ports that are not said stay out of the way of the contract's own", () => {
  assert.deepEqual(portsFrom({}), {});
  assert.deepEqual(portsFrom({ httpPort: 0, metricsPort: 6001 }), { http: 0, metrics: 6001 });
});
