import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test, type TestContext } from "node:test";
import { inspect } from "node:util";
import { makeCertificate } from "../../../../test/support/certificate.ts";
import {
  startFakeVendor,
  VENDOR_KEYS,
  sendJson,
  type FakeVendor,
  type Fault,
} from "../../../../test/support/fake-vendor.ts";
import { startForwardProxy } from "../../../../test/support/forward-proxy.ts";
import { isToolError, type ErrorCode, type ToolError } from "../../../ground/errors/index.ts";
import {
  createVendorApi,
  resolveBaseImage,
  type VendorApi,
  type VendorApiOptions,
} from "../index.ts";

const noPause = async (): Promise<void> => undefined;

function apiOf(
  t: TestContext,
  { endpoint }: Pick<FakeVendor, "endpoint">,
  options: Partial<VendorApiOptions> = {},
): VendorApi {
  const api = createVendorApi({ keys: VENDOR_KEYS, endpoint, sleep: noPause, ...options });
  t.after(() => api[Symbol.dispose]());
  return api;
}

/** The error of a call, which holds no secret however it is shown. */
async function failureOf(
  call: Promise<unknown>,
  code: ErrorCode,
  calls: FakeVendor["calls"] = [],
): Promise<ToolError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(isToolError(error), inspect(error));
  assert.equal(error.code, code, error.message);
  assert.ok((error.hint ?? "") !== "", "it says what to do");
  assertNoSecret(error, calls);
  return error;
}

function assertNoSecret(error: Error, calls: FakeVendor["calls"]): void {
  const shown =
    inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + String(error.stack);
  const secrets = [
    ...Object.values(VENDOR_KEYS),
    ...calls.map(({ Signature = "" }) => Signature),
  ].filter((secret) => secret !== "");
  assert.ok(secrets.length >= 2);
  for (const secret of secrets)
    for (const form of [secret, encodeURIComponent(secret)])
      assert.ok(!shown.includes(form), `"${form}" is in ${shown}`);
}

test("an environment's base image is found with signed requests", async (t) => {
  const vendor = await startFakeVendor(t);
  assert.equal(
    await resolveBaseImage(apiOf(t, vendor), { framework: "tensorflow-1.1.0" }),
    "uhub.ucloud.cn/uaishare/tf:1.1",
  );
  assert.deepEqual(
    vendor.calls.map(({ Action, PkgType }) => PkgType ?? Action),
    ["OS", "Python", "AIFrame", "CheckUAIBaseImgExist"],
  );
  assert.ok(
    vendor.calls.every(
      ({ Region, Zone, ProjectId }) =>
        Region === "cn-bj2" && Zone === "cn-bj2-04" && ProjectId === undefined,
    ),
  );
});

test("region, zone and project go along, and letters of any kind are signed as they are", async (t) => {
  const vendor = await startFakeVendor(t);
  const api = apiOf(t, vendor, { region: "cn-sh2", zone: "cn-sh2-02", projectId: "org a+b&c=é" });
  assert.deepEqual(await api.listPackages("OS"), [
    { name: "ubuntu", version: "14.04.05", id: "10" },
  ]);
  assert.deepEqual(
    await api.findBaseImages({
      os: "1",
      python: "2",
      framework: "3",
      aptGet: ["7", "8"],
      pip: ["9"],
    }),
    [],
  );
  const { Region, Zone, ProjectId, ...rest } = vendor.calls[1] ?? {};
  assert.deepEqual([Region, Zone, ProjectId], ["cn-sh2", "cn-sh2-02", "org a+b&c=é"]);
  assert.deepEqual(
    [rest["AptGetPKGID.0"], rest["AptGetPKGID.1"], rest["PipPKGID.0"]],
    ["7", "8", "9"],
  );
});

test("everything that is not offered is named at once, with what is", async (t) => {
  const vendor = await startFakeVendor(t);
  const error = await failureOf(
    resolveBaseImage(apiOf(t, vendor), { os: "windows-3.11", framework: "tensorflow-9" }),
    "PACKAGE_UNAVAILABLE",
  );
  assert.match(
    error.message,
    /--os: "windows-3\.11" .*ubuntu-14\.04\.05; --ai_arch_v: "tensorflow-9" .*keras-1\.2\.0, tensorflow-1\.1\.0/,
  );
  assert.ok(!error.message.includes("--python_version"));
});

test("packages that no image has together are a clear refusal", async (t) => {
  const vendor = await startFakeVendor(t);
  const error = await failureOf(
    resolveBaseImage(apiOf(t, vendor), { framework: "keras-1.2.0" }),
    "BASE_UNSUITABLE",
  );
  assert.match(error.message, /"keras-1\.2\.0"/);
});

test("a wrong private key is a refusal that does not repeat what the service says of it", async (t) => {
  const vendor = await startFakeVendor(t);
  const api = apiOf(t, vendor, { keys: { ...VENDOR_KEYS, privateKey: "wrong" } });
  const error = await failureOf(api.listPackages("OS"), "REGISTRY_UNAUTHORIZED", vendor.calls);
  assert.match(
    error.message,
    /RetCode 171, wrong signature: "Signature VerifyAC Error: REDACTED of REDACTED"/,
  );
  assert.equal(vendor.calls.length, 1, "it is not asked again");
});

const status =
  (code: number, headers = {}): Fault =>
  (response) =>
    void response.writeHead(code, headers).end("{}");
const cut: Fault = (response) => void response.destroy();
const cutInside: Fault = (response) => {
  response.writeHead(200, { "content-length": "1000" });
  response.write('{"RetCode":', () => response.destroy());
};
const refuse =
  (RetCode: number, Message = "no"): Fault =>
  (response) =>
    sendJson(response, { RetCode, Message });

for (const [name, fault] of Object.entries({
  "HTTP 500": status(500),
  "HTTP 429": status(429),
  "a cut connection": cut,
  "an answer cut in its middle": cutInside,
  "time out by code": refuse(110),
  "service unavailable by code": refuse(150),
})) {
  test(`${name} is tried again`, async (t) => {
    const vendor = await startFakeVendor(t);
    vendor.faults.push(fault, fault, fault);
    const told: number[] = [];
    const api = apiOf(t, vendor, {
      onRetry: (error, attempt) =>
        void (assertNoSecret(error as Error, vendor.calls), told.push(attempt)),
    });
    assert.equal((await api.listPackages("Python"))[0]?.id, "20");
    assert.deepEqual(told, [1, 2, 3]);
  });
}

const LASTING: Readonly<
  Record<string, readonly [fault: Fault, code: ErrorCode, why: RegExp, calls: number]>
> = {
  "HTTP 500": [status(500), "REGISTRY_UNAVAILABLE", /HTTP 500/, 4],
  "HTTP 429": [status(429), "REGISTRY_THROTTLED", /too often/, 4],
  "a cut connection": [cut, "REGISTRY_UNREACHABLE", /connection was cut/, 4],
  "no HTTP at all, with an echo": [
    (response) => void response.socket?.end(`HTTP/9.9 ${VENDOR_KEYS.publicKey}\r\n\r\n`),
    "REGISTRY_UNREACHABLE",
    /not HTTP/,
    4,
  ],
  "a time-out by code": [refuse(110), "TIMEOUT", /RetCode 110/, 4],
  "a redirection": [
    status(302, { location: "http://127.0.0.1:1/" }),
    "REGISTRY_PROTOCOL",
    /HTTP 302/,
    1,
  ],
  "HTTP 404 without JSON": [
    (response) => void response.writeHead(404).end("<html>"),
    "REGISTRY_REFUSED",
    /HTTP 404/,
    1,
  ],
  "HTTP 403 with a code": [
    (response) => sendJson(response, { RetCode: 171, Message: "no" }, 403),
    "REGISTRY_UNAUTHORIZED",
    /RetCode 171/,
    1,
  ],
  "HTTP 403 that says all is well": [
    (response) => sendJson(response, { RetCode: 0, PkgSet: [] }, 403),
    "REGISTRY_REFUSED",
    /HTTP 403/,
    1,
  ],
  "no JSON": [
    (response) => void response.end("{nonsense"),
    "REGISTRY_PROTOCOL",
    /not a JSON object/,
    1,
  ],
  "letters that are no UTF-8": [
    (response) => void response.end(Buffer.from([0x7b, 0xff, 0x7d])),
    "REGISTRY_PROTOCOL",
    /not a JSON object/,
    1,
  ],
  "a JSON list": [
    (response) => sendJson(response, []),
    "REGISTRY_PROTOCOL",
    /not a JSON object/,
    1,
  ],
  "no RetCode": [
    (response) => sendJson(response, { PkgSet: [] }),
    "REGISTRY_PROTOCOL",
    /"RetCode"/,
    1,
  ],
  "a RetCode in text": [
    (response) => sendJson(response, { RetCode: "0", PkgSet: [] }),
    "REGISTRY_PROTOCOL",
    /"RetCode"/,
    1,
  ],
  "packages that are no list": [
    (response) => sendJson(response, { RetCode: 0, PkgSet: {} }),
    "REGISTRY_PROTOCOL",
    /"PkgSet" is not a list/,
    1,
  ],
  "a package without a name": [
    (response) => sendJson(response, { RetCode: 0, PkgSet: [{ PkgId: 1 }] }),
    "REGISTRY_PROTOCOL",
    /"PkgName" of "PkgSet" entry 0/,
    1,
  ],
  "a package's name that steers the terminal": [
    (response) => sendJson(response, { RetCode: 0, PkgSet: [{ PkgName: "\u001b[2J", PkgId: 1 }] }),
    "REGISTRY_PROTOCOL",
    /"PkgName"/,
    1,
  ],
  "a package's id that is none": [
    (response) => sendJson(response, { RetCode: 0, PkgSet: [{ PkgName: "a", PkgId: { x: 1 } }] }),
    "REGISTRY_PROTOCOL",
    /"PkgId"/,
    1,
  ],
  "more than a mebibyte": [
    (response) => void response.end(`{"RetCode":0,"x":"${"x".repeat(1024 * 1024)}"}`),
    "LIMIT_EXCEEDED",
    /too long/,
    1,
  ],
  "no permission": [refuse(240), "REGISTRY_DENIED", /RetCode 240, no permission: "no"/, 1],
  "no balance": [refuse(520), "REGISTRY_REFUSED", /balance/, 1],
  "an unknown code": [refuse(61_234), "REGISTRY_REFUSED", /RetCode 61234/, 1],
  "a message that steers the terminal and goes on": [
    refuse(210, `\u001b[2J${"x".repeat(10_000)}`),
    "REGISTRY_REFUSED",
    /: " \[2Jx{296}"$/,
    1,
  ],
};

for (const [name, [fault, code, why, count]] of Object.entries(LASTING)) {
  test(`${name}: ${code} in ${count} ${count === 1 ? "call" : "calls"}`, async (t) => {
    const vendor = await startFakeVendor(t);
    vendor.faults.push(fault, fault, fault, fault);
    assert.match(
      (await failureOf(apiOf(t, vendor).listPackages("OS"), code, vendor.calls)).message,
      why,
    );
    assert.equal(vendor.calls.length, count);
  });
}

test("names of images are checked before anybody uses them", async (t) => {
  const vendor = await startFakeVendor(t);
  const api = apiOf(t, vendor);
  for (const BimgName of [["--flag"], ["a b"], [7], "uhub.ucloud.cn/a:1"]) {
    vendor.faults.push((response) => sendJson(response, { RetCode: 0, BimgName }));
    await failureOf(
      api.findBaseImages({ os: "1", python: "2", framework: "3" }),
      "REGISTRY_PROTOCOL",
    );
  }
});

test("Retry-After is waited for", async (t) => {
  const vendor = await startFakeVendor(t);
  vendor.faults.push(status(429, { "retry-after": "7" }));
  const pauses: number[] = [];
  await apiOf(t, vendor, { sleep: async (ms) => void pauses.push(ms) }).listPackages("OS");
  assert.deepEqual(pauses, [7000]);
});

test("an answer that does not come is given up, and a new attempt made", async (t) => {
  const vendor = await startFakeVendor(t);
  const nothing: Fault = () => undefined;
  const drip: Fault = (response) => void response.writeHead(200).write("{");
  vendor.faults.push(nothing, drip);
  const error = await failureOf(
    apiOf(t, vendor, { timeoutMs: 100, attempts: 2 }).listPackages("OS"),
    "TIMEOUT",
    vendor.calls,
  );
  assert.match(error.message, /100 ms/);
  assert.equal(vendor.calls.length, 2);
});

test("an abort ends a waiting call with its own reason, and asks no more", async (t) => {
  const vendor = await startFakeVendor(t);
  const [control, reason] = [new AbortController(), new Error("enough")];
  vendor.faults.push(() => control.abort(reason));
  await assert.rejects(apiOf(t, vendor).listPackages("OS", { signal: control.signal }), reason);
  const pausing = new AbortController();
  vendor.faults.push(status(500));
  const api = createVendorApi({
    keys: VENDOR_KEYS,
    endpoint: vendor.endpoint,
    onRetry: () => pausing.abort(reason),
  });
  t.after(() => api[Symbol.dispose]());
  await assert.rejects(api.listPackages("OS", { signal: pausing.signal }), reason);
  assert.equal(vendor.calls.length, 2);
});

test("nobody listening is said with the host", async (t) => {
  const error = await failureOf(
    apiOf(t, { endpoint: "http://127.0.0.1:1/" }).listPackages("OS"),
    "REGISTRY_UNREACHABLE",
  );
  assert.match(error.message, /"127\.0\.0\.1:1" for GetUAIAvailableEnvPkg: connection refused/);
});

test("HTTPS certificates are checked; a further authority can be trusted, and a proxy used", async (t) => {
  const certificate = await makeCertificate(t);
  if (certificate === undefined) return;
  const vendor = await startFakeVendor(t, {
    cert: certificate.ca,
    key: await readFile(certificate.keyFile, "utf8"),
  });
  await failureOf(apiOf(t, vendor).listPackages("OS"), "INSECURE_REFUSED");
  assert.equal(vendor.calls.length, 0);
  assert.equal((await apiOf(t, vendor, { ca: certificate.ca }).listPackages("OS")).length, 1);
  const proxy = await startForwardProxy(t, { upstream: `127.0.0.1:${vendor.port}` });
  const far = apiOf(
    t,
    { endpoint: "https://registry.test" },
    { ca: certificate.ca, proxyEnv: { HTTPS_PROXY: `http://${proxy.host}` } },
  );
  assert.equal((await far.listPackages("OS")).length, 1);
  assert.deepEqual(
    proxy.calls.map(({ method, target }) => `${method} ${target}`),
    ["CONNECT registry.test:443"],
    "the proxy sees no request",
  );
});

test("a server without HTTPS is not spoken to in HTTP instead", async (t) => {
  const vendor = await startFakeVendor(t);
  await failureOf(
    apiOf(t, { endpoint: vendor.endpoint.replace("http:", "https:") }).listPackages("OS"),
    "INSECURE_REFUSED",
  );
  assert.equal(vendor.calls.length, 0);
});

test("keys and endpoints that cannot be are refused before anything is sent", async () => {
  const make = async (options: Partial<VendorApiOptions>): Promise<void> =>
    createVendorApi({ keys: VENDOR_KEYS, ...options })[Symbol.dispose]();
  await make({});
  await make({ endpoint: "http://api.example.com", allowPlainHttp: true });
  await failureOf(make({ endpoint: "http://api.example.com" }), "INSECURE_REFUSED");
  for (const endpoint of [
    "api.ucloud.cn",
    "ftp://a",
    `https://u:${VENDOR_KEYS.privateKey.replaceAll("/", "")}@a.com`,
    "https://a.com/?x=1",
    "https://a.com/#x",
  ])
    await failureOf(make({ endpoint }), "USAGE");
  for (const publicKey of ["", "a b", "a\nb", "x".repeat(513)])
    await failureOf(make({ keys: { ...VENDOR_KEYS, publicKey } }), "USAGE");
  const error = await failureOf(
    make({ keys: { ...VENDOR_KEYS, privateKey: `${VENDOR_KEYS.privateKey} ` } }),
    "USAGE",
  );
  assert.match(error.message, /the private key is not a key/);
});
