import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { test, type TestContext } from "node:test";
import { putFakeBase } from "../support/fake-base.ts";
import { type Ran, untilEnd, writeFiles } from "../support/pack-place.ts";
import {
  ACCOUNT,
  FOLDERS,
  putIntoUhub,
  UHUB,
  UHUB_INSIDE,
  type UhubPlace,
  uhubPlace,
} from "../support/uhub-place.ts";
import { sendJson, startFakeVendor, VENDOR_KEYS, type FakeVendor } from "../support/fake-vendor.ts";
import { putVendorBase } from "../support/vendor-base.ts";
import { configOf } from "./packdocker-support.ts";

const WORDS = [
  "packdocker",
  "tf",
  "--base-from",
  "vendor",
  "--ai_arch_v",
  "tensorflow-1.1.0",
  "--pack_file_path",
  "mnist_tf",
  "--main_module",
  "mnist_inference",
  "--main_class",
  "MnistModel",
  "--model_dir",
  "checkpoint_dir",
  "--uhub_username",
  ACCOUNT.username,
  "--uhub_password",
  ACCOUNT.password,
  "--uhub_registry",
  "me",
  "--uhub_imagename",
  "mnist:v1",
];
const KEYS = ["--public_key", VENDOR_KEYS.publicKey, "--private_key", VENDOR_KEYS.privateKey];
const ENV_KEYS = {
  SLIPWAY_VENDOR_PUBLIC_KEY: VENDOR_KEYS.publicKey,
  SLIPWAY_VENDOR_PRIVATE_KEY: VENDOR_KEYS.privateKey,
};

/** The vendor's API, and its registry with the base that the API names. */
async function place(
  t: TestContext,
): Promise<{ readonly uai: UhubPlace; readonly vendor: FakeVendor } | undefined> {
  const uai = await uhubPlace(t);
  if (uai === undefined) return undefined;
  const vendor = await startFakeVendor(t);
  await putVendorBase(uai.store, "vendor");
  await putIntoUhub(uai.uhub, uai.store, { from: "vendor", to: `${UHUB}/uaishare/tf:1.1` });
  Object.assign(uai.env, { SLIPWAY_VENDOR_ENDPOINT: vendor.endpoint });
  return { uai, vendor };
}

/** Nothing that was shown has a key's private half or what was made of it. */
function assertNoSecret({ stdout, stderr }: Ran, { calls }: FakeVendor): void {
  for (const secret of [
    VENDOR_KEYS.privateKey,
    ...calls.flatMap(({ Signature }) => Signature ?? []),
  ]) {
    for (const form of [secret, encodeURIComponent(secret)])
      assert.ok(!`${stdout}${stderr}`.includes(form), `"${form}" is in ${stdout}${stderr}`);
  }
}

test("with keys and --base-from vendor, the API names the base, and the image is made on it and pushed beside it", async (t) => {
  const at = await place(t);
  if (at === undefined) return;
  const { uai, vendor } = at;
  const ran = await uai.slipway(
    ...WORDS,
    ...KEYS,
    "--region",
    "cn-sh2",
    "--zone",
    "cn-sh2-02",
    "--project_id",
    "org-1",
  );
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.match(ran.stderr, /it names uhub\.ucloud\.cn\/uaishare\/tf:1\.1/);
  assert.match(ran.stderr, /gunicorn serves/);
  assert.match(
    ran.stderr,
    /put the keys into SLIPWAY_VENDOR_PUBLIC_KEY and SLIPWAY_VENDOR_PRIVATE_KEY/,
  );
  assert.ok(
    ran.stdout.startsWith(`upload docker images successful. images:${UHUB}/me/mnist:v1\n`),
    ran.stdout,
  );
  assert.deepEqual(
    vendor.calls.map(({ Action, PkgType, Region, Zone, ProjectId }) => [
      PkgType ?? Action,
      Region,
      Zone,
      ProjectId,
    ]),
    ["OS", "Python", "AIFrame", "CheckUAIBaseImgExist"].map((what) => [
      what,
      "cn-sh2",
      "cn-sh2-02",
      "org-1",
    ]),
  );
  const { config } = await configOf(uai.pushed(`${UHUB}/me/mnist:v1`));
  assert.equal(
    config?.Cmd?.at(-1),
    "cd /ai-ucloud-client-django && gunicorn -c gunicorn.conf.py httpserver.wsgi",
  );
  assertNoSecret(ran, vendor);
  assert.deepEqual((await readdir(uai.root)).toSorted(), Object.keys(FOLDERS).toSorted());
});

test("keys come from the environment as well, the endpoint by a flag, and the base from the registry's inner address", async (t) => {
  const at = await place(t);
  if (at === undefined) return;
  const { uai, vendor } = at;
  Object.assign(uai.env, ENV_KEYS, { SLIPWAY_VENDOR_ENDPOINT: "http://127.0.0.1:1" });
  const ran = await uai.slipway(
    ...WORDS,
    "--in_uhost",
    "yes",
    "--vendor-endpoint",
    vendor.endpoint,
    "--dry-run",
  );
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.match(ran.stderr, /it names uhub\.service\.ucloud\.cn\/uaishare\/tf:1\.1/);
  assert.ok(ran.stdout.includes(`${UHUB_INSIDE}/me/mnist:v1`), ran.stdout);
  assert.ok(
    !ran.stderr.includes("SLIPWAY_VENDOR_PRIVATE_KEY"),
    "nobody is told to use what is used",
  );
  assertNoSecret(ran, vendor);
});

test(
  "no child process, such as the one that finds packages, has a key among its words",
  { skip: process.platform !== "linux" },
  async (t) => {
    const at = await place(t);
    if (at === undefined) return;
    const { uai, vendor } = at;
    await putFakeBase(uai.store, "pybase");
    await putIntoUhub(uai.uhub, uai.store, { from: "pybase", to: `${UHUB}/uaishare/tf:1.1` });
    await writeFiles(uai.root, { "mnist_tf/requirements.txt": "pillow\n" });
    Object.assign(uai.env, ENV_KEYS);
    const child = uai.start(...WORDS);
    const seen = new Set<string>();
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        for (const line of wordsOfDescendants(child.pid ?? 0)) seen.add(line);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const ran = await untilEnd(child);
    isOver = true;
    await watching;
    assert.equal(ran.exitCode, 0, ran.stderr);
    assert.ok(
      [...seen].some((line) => /(^|\/)uv\0/.test(line)),
      [...seen].join("\n"),
    );
    for (const line of seen) assert.ok(!line.includes(VENDOR_KEYS.privateKey), line);
    assertNoSecret(ran, vendor);
  },
);

/** Command lines of a process and all below it. */
function wordsOfDescendants(pid: number): readonly string[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
        .split(" ")
        .filter((text) => text !== ""),
    );
    return [
      readFileSync(`/proc/${pid}/cmdline`, "utf8"),
      ...children.flatMap((child) => wordsOfDescendants(Number(child))),
    ];
  } catch {
    return []; // it has ended
  }
}

const REFUSALS: readonly (readonly [
  name: string,
  words: readonly string[],
  exitCode: number,
  messages: readonly RegExp[],
  fault?: FakeVendor["faults"][number],
])[] = [
  [
    "no keys",
    [],
    2,
    [
      /--public_key: it is missing, and so is SLIPWAY_VENDOR_PUBLIC_KEY/,
      /--private_key: it is missing, and so is SLIPWAY_VENDOR_PRIVATE_KEY/,
    ],
  ],
  [
    "a base that is named already",
    [...KEYS, "--bimg_name", "store:vendor"],
    2,
    [/--base-from: --bimg_name names the base already/],
  ],
  [
    "a wrong key",
    ["--public_key", VENDOR_KEYS.publicKey, "--private_key", "wrong+key"],
    5,
    [/REGISTRY_UNAUTHORIZED: .*RetCode 171, wrong signature/],
  ],
  [
    "no such system",
    [...KEYS, "--os", "centos-6"],
    3,
    [/PACKAGE_UNAVAILABLE: .*--os: "centos-6" is not offered; offered are ubuntu-14\.04\.05/],
  ],
  [
    "no image for it",
    [...KEYS, "--ai_arch_v", "keras-1.2.0"],
    2,
    [/is a release for keras, not for tf/],
  ],
  [
    "an API that refuses",
    KEYS,
    5,
    [/REGISTRY_DENIED: .*RetCode 240/],
    (response) => sendJson(response, { RetCode: 240, Message: `no ${VENDOR_KEYS.privateKey}` }),
  ],
  ["an answer that is none", KEYS, 6, [/REGISTRY_PROTOCOL/], (response) => void response.end("{")],
];

test("what the API refuses, or is not told, is said before anything is made, and no key with it", async (t) => {
  const at = await place(t);
  if (at === undefined) return;
  const { uai, vendor } = at;
  const before = uai.uhub.manifests.size;
  for (const [name, words, exitCode, messages, fault] of REFUSALS) {
    vendor.faults.splice(0, Infinity, ...(fault === undefined ? [] : [fault]));
    const ran = await uai.slipway(...WORDS, ...words);
    assert.equal(ran.exitCode, exitCode, `${name}: ${ran.stderr}`);
    for (const message of messages) assert.match(ran.stderr, message, name);
    assertNoSecret(ran, vendor);
    assert.ok(!ran.stderr.includes("wrong+key"), name);
  }
  assert.equal(uai.uhub.manifests.size, before);
  assert.deepEqual((await readdir(uai.root)).toSorted(), Object.keys(FOLDERS).toSorted());
});
