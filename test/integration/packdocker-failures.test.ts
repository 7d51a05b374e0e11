import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { putFakeBase } from "../support/fake-base.ts";
import { type PackPlace, writeFiles } from "../support/pack-place.ts";
import { ACCOUNT, UHUB, type UhubPlace, uhubPlace } from "../support/uhub-place.ts";
import type { Fault } from "../support/fault-registry.ts";

const MODEL = [
  "--main_class",
  "MnistModel",
  "--main_module",
  "mnist_inference",
  "--model_dir",
  "checkpoint_dir",
];
const KERAS = ["--model_name", "mnist_model"];
const IMAGE = ["--uhub_registry", "me", "--uhub_imagename", "mnist:v1"];
const ON_MINE = ["--bimg_name", "store:mine"];
const IN_KERAS = ["--pack_file_path", "mnist_keras"];

/** Words after `packdocker`, exit code, and what is said. */
type Refusal = readonly [words: readonly string[], exitCode: number, says: RegExp];

/** What is known to be wrong before anything is read or made beyond the user's folder. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  "no mode": [
    [],
    2,
    /^error USAGE: packdocker: it does not say what to pack\n {2}hint: write `slipway packdocker MODE …` with one of self, tf, caffe, keras, mxnet/,
  ],
  "a mode that is not known": [["paddle"], 2, /^error USAGE: .*packdocker/],
  "no flags": [
    ["mxnet"],
    2,
    /^error USAGE: packdocker mxnet: 8 problems\n(?: {2}--\w+: it is missing\n){8} {2}hint: nothing was made; did a line break swallow the flags\? [^\n]+ run `slipway packdocker mxnet --help`\n$/,
  ],
  "no flags for self": [
    ["self"],
    2,
    /^error USAGE: packdocker self: 5 problems\n(?: {2}--\w+: it is missing\n){5}/,
  ],
  "a flag that is not known": [["keras", "--no_such", "x"], 2, /unknown option '--no_such'/],
  "a flag of the others, for self": [
    ["self", "--public_key", "x"],
    2,
    /unknown option '--public_key'/,
  ],
  "a flag without its value": [
    ["keras", "--model_name"],
    2,
    /option '--model_name <value>' argument missing/,
  ],
  "a value that is no choice": [
    ["keras", ...MODEL, ...KERAS, ...IN_KERAS, ...IMAGE, "--all_one_file", "True"],
    2,
    /--all_one_file: "True" is not one of true, false/,
  ],
  "no tag": [
    [
      "keras",
      ...MODEL,
      ...KERAS,
      ...IN_KERAS,
      "--uhub_registry",
      "me",
      "--uhub_imagename",
      "mnist",
    ],
    2,
    /--uhub_imagename: "mnist" has no tag, as in mnist:v1/,
  ],
  "upper-case letters": [
    [
      "keras",
      ...MODEL,
      ...KERAS,
      ...IN_KERAS,
      "--uhub_registry",
      "Me",
      "--uhub_imagename",
      "mnist:v1",
    ],
    2,
    /--uhub_registry: "Me" has upper-case letters/,
  ],
  "an epoch that is no number": [
    [
      "mxnet",
      ...MODEL,
      "--model_name",
      "mnist-model",
      "--num_epoch",
      "ten",
      "--pack_file_path",
      "mnist_mxnet",
      ...IMAGE,
    ],
    2,
    /--num_epoch: "ten" is no whole number/,
  ],
  "a folder that is not there": [
    ["tf", ...MODEL, "--pack_file_path", "absent", ...IMAGE],
    3,
    /^error PROJECT_INVALID: packdocker tf: --pack_file_path: "absent" is not a folder\n/,
  ],
  "a file where a folder should be": [
    ["tf", ...MODEL, "--pack_file_path", "mnist_tf/mnist_inference.py", ...IMAGE],
    3,
    /--pack_file_path: .* is not a folder/,
  ],
  "a release that is not known": [
    ["tf", ...MODEL, "--pack_file_path", "mnist_tf", ...IMAGE, "--ai_arch_v", "tensorflow-0.1"],
    2,
    /--ai_arch_v: "tensorflow-0\.1" is not known; known are tensorflow-1\.1\.0/,
  ],
  "a release of another framework": [
    ["tf", ...MODEL, "--pack_file_path", "mnist_tf", ...IMAGE, "--ai_arch_v", "keras-2.0.8"],
    2,
    /--ai_arch_v: "keras-2\.0\.8" is a release for keras, not for tf/,
  ],
  "a release of another framework, on a base of one's own": [
    [
      "tf",
      ...MODEL,
      "--pack_file_path",
      "mnist_tf",
      ...IMAGE,
      ...ON_MINE,
      "--ai_arch_v",
      "keras-2.0.8",
    ],
    2,
    /is a release for keras, not for tf/,
  ],
  "a Python that no Debian has": [
    [
      "tf",
      ...MODEL,
      "--pack_file_path",
      "mnist_tf",
      ...IMAGE,
      ...["--base-from", "debian", "--python_version", "python-3.10"],
    ],
    3,
    /^error BASE_UNSUITABLE: .*none has its Python\n {2}hint: .*--bimg_name/,
  ],
  "a module that is not there": [
    [
      "keras",
      "--main_class",
      "A",
      "--main_module",
      "absent",
      "--model_dir",
      "checkpoint_dir",
      ...KERAS,
      ...IN_KERAS,
      ...IMAGE,
    ],
    3,
    /--main_module: there is no "absent\.py" in the folder/,
  ],
  "a module with its ending": [
    [
      "keras",
      "--main_class",
      "A",
      "--main_module",
      "mnist_inference.py",
      "--model_dir",
      "checkpoint_dir",
      ...KERAS,
      ...IN_KERAS,
      ...IMAGE,
    ],
    3,
    /--main_module: write "mnist_inference", without \.py/,
  ],
  "a class that is not there": [
    [
      "keras",
      "--main_class",
      "Other",
      "--main_module",
      "mnist_inference",
      "--model_dir",
      "checkpoint_dir",
      ...KERAS,
      ...IN_KERAS,
      ...IMAGE,
    ],
    3,
    /--main_class: there is no class "Other" in "mnist_inference\.py", which has MnistModel/,
  ],
  "a model folder that is not there": [
    [
      "tf",
      "--main_class",
      "MnistModel",
      "--main_module",
      "mnist_inference",
      "--model_dir",
      "absent",
      "--pack_file_path",
      "mnist_tf",
      ...IMAGE,
    ],
    3,
    /--model_dir: there is no folder "absent" in the folder/,
  ],
  "a model folder outside": [
    [
      "tf",
      "--main_class",
      "MnistModel",
      "--main_module",
      "mnist_inference",
      "--model_dir",
      "../mnist_keras",
      "--pack_file_path",
      "mnist_tf",
      ...IMAGE,
    ],
    3,
    /--model_dir: "\.\.\/mnist_keras" is not inside the folder/,
  ],
  "an empty model folder": [
    [
      "tf",
      "--main_class",
      "MnistModel",
      "--main_module",
      "mnist_inference",
      "--model_dir",
      "empty",
      "--pack_file_path",
      "broken",
      ...IMAGE,
    ],
    3,
    /--model_dir: "empty" is empty/,
  ],
  "model files of Caffe that are not there": [
    ["caffe", ...MODEL, "--model_name", "other", "--pack_file_path", "mnist_caffe", ...IMAGE],
    3,
    /no "other\.prototxt" in "checkpoint_dir"\n.*no "other\.caffemodel"/,
  ],
  "model files of Keras that are not there": [
    ["keras", ...MODEL, "--model_name", "other", ...IN_KERAS, ...IMAGE],
    3,
    /no "other\.json" in "checkpoint_dir"\n.*no "other\.h5"/,
  ],
  "one model file of Keras that is not there": [
    ["keras", ...MODEL, "--model_name", "other", "--all_one_file", "true", ...IN_KERAS, ...IMAGE],
    3,
    /packdocker keras: --model_name: there is no "other\.h5" in "checkpoint_dir"\n/,
  ],
  "an ending of Keras that is not there": [
    ["keras", ...MODEL, ...KERAS, "--model_arch_type", "yaml", ...IN_KERAS, ...IMAGE],
    3,
    /--model_name: there is no "mnist_model\.yaml"/,
  ],
  "an epoch of MXNet that is not there": [
    [
      "mxnet",
      ...MODEL,
      "--model_name",
      "mnist-model",
      "--num_epoch",
      "7",
      "--pack_file_path",
      "mnist_mxnet",
      ...IMAGE,
    ],
    3,
    /--model_name: there is no "mnist-model-0007\.params"/,
  ],
  "a configuration that is not there": [
    ["self", "--conf_file", "absent.conf", ...ON_MINE, "--pack_file_path", "mnist_self", ...IMAGE],
    3,
    /--conf_file: "absent\.conf": there is no such file/,
  ],
  "a configuration that is no JSON": [
    ["self", "--conf_file", "no-json.conf", ...ON_MINE, "--pack_file_path", "broken", ...IMAGE],
    3,
    /--conf_file: "no-json\.conf": it is not JSON: [^"]*\n/,
  ],
  "a configuration without a class": [
    ["self", "--conf_file", "no-class.conf", ...ON_MINE, "--pack_file_path", "broken", ...IMAGE],
    3,
    /it has no http_server\.exec\.main_file and main_class/,
  ],
  "a configuration with a class that is not there": [
    ["self", "--conf_file", "odd-class.conf", ...ON_MINE, "--pack_file_path", "broken", ...IMAGE],
    3,
    /--conf_file: there is no class "A\(" in "mnist_inference\.py"/,
  ],
  "a configuration whose folder of models is not there": [
    ["self", "--conf_file", "no-models.conf", ...ON_MINE, "--pack_file_path", "broken", ...IMAGE],
    3,
    /--conf_file: its model_dir "\.\/absent" is not in the folder/,
  ],
  "weights where one file shall be the model": [
    [
      "keras",
      ...["--main_module", "mnist_inference", "--main_class", "MnistModel"],
      ...["--model_dir", ".", "--model_name", "weights", "--all_one_file", "true"],
      ...[...ON_MINE, "--pack_file_path", "broken", ...IMAGE],
    ],
    3,
    /--all_one_file: "weights\.h5" has weights only/,
  ],
  "everything at once": [
    [
      "keras",
      "--main_class",
      "Other",
      "--main_module",
      "mnist_inference",
      "--model_dir",
      "checkpoint_dir",
      "--model_name",
      "absent",
      ...IN_KERAS,
      "--ai_arch_v",
      "mxnet-0.9.5",
      "--uhub_registry",
      "me",
      "--uhub_imagename",
      "untagged",
    ],
    2,
    /packdocker keras: 5 problems\n {2}--uhub_imagename: .*\n {2}--ai_arch_v: .*\n {2}--main_class: .*\n {2}--model_name: .*\n {2}--model_name: .*\n/,
  ],
  "a base that is not in the store": [
    ["keras", ...MODEL, ...KERAS, ...IN_KERAS, ...IMAGE, "--bimg_name", "store:absent"],
    7,
    /^error REFERENCE_NOT_FOUND: .*absent/,
  ],
  "a base for another machine": [
    ["keras", ...MODEL, ...KERAS, ...IN_KERAS, ...IMAGE, ...ON_MINE, "--platform", "linux/arm64"],
    3,
    /^error BASE_UNSUITABLE: pack on "store:mine"/,
  ],
  "a base without Python": [
    ["keras", ...MODEL, ...KERAS, ...IN_KERAS, ...IMAGE, "--bimg_name", "store:bare"],
    3,
    /^error BASE_UNSUITABLE: pack on "store:bare": .*\n {2}hint: make one with `slipway base debian/,
  ],
};

/** What goes wrong on the way to the registry. */
const PUSHES: Readonly<
  Record<
    string,
    {
      readonly words?: readonly string[];
      readonly faults?: readonly Fault[];
      readonly exitCode: number;
      readonly says: RegExp;
    }
  >
> = {
  "no account": {
    words: [],
    exitCode: 5,
    says: /^error REGISTRY_UNAUTHORIZED: .*\n {2}hint: run `slipway login uhub\.ucloud\.cn`/m,
  },
  "a wrong password": {
    words: ["--uhub_username", ACCOUNT.username, "--uhub_password", "wrong"],
    exitCode: 5,
    says: /^error REGISTRY_UNAUTHORIZED: /m,
  },
  "an account that may not push": {
    faults: [{ method: "POST", path: "/uploads/", action: { kind: "answer", status: 403 } }],
    exitCode: 5,
    says: /^error REGISTRY_DENIED: /m,
  },
  "a registry that refuses": {
    faults: [{ method: "PUT", path: "/manifests/", action: { kind: "answer", status: 400 } }],
    exitCode: 6,
    says: /^error REGISTRY_REFUSED: .*answered 400/m,
  },
  "a registry that is broken": {
    faults: [{ method: "PUT", path: "/manifests/", action: { kind: "answer", status: 500 } }],
    exitCode: 6,
    says: /^error REGISTRY_UNAVAILABLE: .*answered 500/m,
  },
  "a connection that is cut": {
    faults: [{ method: "PUT", path: "/manifests/", action: { kind: "no-answer" } }],
    exitCode: 6,
    says: /^error REGISTRY_UN(?:REACHABLE|AVAILABLE): /m,
  },
};

async function place(t: TestContext): Promise<UhubPlace | undefined> {
  const made = await uhubPlace(t);
  if (made === undefined) return undefined;
  await putFakeBase(made.store, "mine");
  await putFakeBase(made.store, "bare", { python: "", glibc: "" });
  const conf = (exec: object): string => JSON.stringify({ http_server: { exec } });
  await writeFiles(join(made.root, "broken"), {
    "mnist_inference.py": "class MnistModel: pass\n",
    "no-json.conf": "password = hunter2",
    "no-class.conf": conf({ main_file: "mnist_inference", main_class: "" }),
    "odd-class.conf": conf({ main_file: "mnist_inference", main_class: "A(" }),
    "no-models.conf": JSON.stringify({
      http_server: {
        exec: { main_file: "mnist_inference", main_class: "MnistModel" },
        tensorflow: { model_dir: "./absent" },
      },
    }),
    "weights.h5": await readFile(join(import.meta.dirname, "../fixtures/keras1/sequence.h5")),
  });
  await mkdir(join(made.root, "broken/empty"));
  return made;
}

/** Names, kinds, modes and content of everything below a folder. */
async function fingerprint(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const lines = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const { mode } = await stat(path);
    return `${path} ${mode.toString(8)} ${
      entry.isFile()
        ? createHash("sha256")
            .update(await readFile(path))
            .digest("hex")
        : ""
    }`;
  });
  return (await Promise.all(lines)).toSorted();
}

/** Names and digests, without the age that the list shows beside them. */
async function imagesIn(cli: PackPlace): Promise<readonly string[]> {
  return (await cli.slipway("ls")).stdout
    .split("\n")
    .map((line) => line.split(/\s+/).slice(0, 3).join(" "));
}

test("what is wrong with flags and folder is said with an exit code, and nothing at all is left behind", async (t) => {
  const made = await place(t);
  if (made === undefined) return;
  const { uhub } = made;
  const cli = made;
  const data = cli.store.dataDir;
  const before = [await fingerprint(cli.root), await fingerprint(data)];
  for (const [name, [words, exitCode, says]] of Object.entries(REFUSALS)) {
    const ran = await cli.slipway("packdocker", ...words);
    assert.match(ran.stderr, says, name);
    assert.equal(ran.exitCode, exitCode, `${name}: ${ran.stderr}`);
    assert.equal(ran.stdout, "", name);
  }
  assert.deepEqual([await fingerprint(cli.root), await fingerprint(data)], before);
  assert.deepEqual(uhub.requests, [], "the registry heard nothing");
});

test("a push that fails is said with an exit code, and leaves no tag, no image and no half a file", async (t) => {
  const made = await place(t);
  if (made === undefined) return;
  const { uhub } = made;
  const cli = made;
  const before = await fingerprint(cli.root);
  const images = await imagesIn(cli);
  const asAccount = ["--uhub_username", ACCOUNT.username, "--uhub_password", ACCOUNT.password];
  for (const [name, { words = asAccount, faults = [], exitCode, says }] of Object.entries(PUSHES)) {
    uhub.calm();
    for (const fault of faults) uhub.fault({ ...fault, times: 100 });
    const ran = await cli.slipway(
      "packdocker",
      "keras",
      ...MODEL,
      ...KERAS,
      ...IN_KERAS,
      ...IMAGE,
      ...ON_MINE,
      ...words,
      "--write-conf",
      "--emit-dockerfile",
      "uai.Dockerfile",
      "--output",
      "oci-archive=mnist.tar",
    );
    assert.match(ran.stderr, says, name);
    assert.equal(ran.exitCode, exitCode, `${name}: ${ran.stderr}`);
    assert.equal(ran.stdout, "", name);
    await assertNothingBehind(made, { before, images, name });
  }
  uhub.calm();
  assert.equal(
    (
      await cli.slipway(
        "packdocker",
        "keras",
        ...MODEL,
        ...KERAS,
        ...IN_KERAS,
        ...IMAGE,
        ...ON_MINE,
        ...asAccount,
      )
    ).exitCode,
    0,
    "what failed can be done afterwards",
  );
});

async function assertNothingBehind(
  cli: UhubPlace,
  {
    before,
    images,
    name,
  }: {
    readonly before: readonly string[];
    readonly images: readonly string[];
    readonly name: string;
  },
): Promise<void> {
  assert.deepEqual(await fingerprint(cli.root), before, `${name}: the user's folder`);
  assert.deepEqual(await imagesIn(cli), images, `${name}: the store's images`);
  assert.deepEqual(
    [...cli.uhub.manifests.keys()].filter((key) => !key.includes("@")),
    [],
    `${name}: the registry's tags`,
  );
  const kept = (await readdir(cli.store.dataDir, { recursive: true })).filter(
    (path) => /\.tmp-|^tmp\//.test(path) && !path.startsWith(`tmp/${process.pid}-`),
  ); // this test has the store open itself
  assert.deepEqual(kept, [], `${name}: unfinished files`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} in the middle of a push ends it with its own exit code, and leaves no tag, no image and no half a file`, async (t) => {
    const made = await place(t);
    if (made === undefined) return;
    const { uhub } = made;
    const cli = made;
    const before = await fingerprint(cli.root);
    const images = await imagesIn(cli);
    const reached = Promise.withResolvers<void>();
    uhub.fault({
      method: "PATCH",
      action: { kind: "stall-request", atByte: 1, reached: () => reached.resolve() },
    });
    const child = cli.start(
      "packdocker",
      "keras",
      ...MODEL,
      ...KERAS,
      ...IN_KERAS,
      ...IMAGE,
      ...ON_MINE,
      "--uhub_username",
      ACCOUNT.username,
      "--uhub_password",
      ACCOUNT.password,
      "--write-conf",
    );
    const said: string[] = [];
    child.stderr?.setEncoding("utf8").on("data", (text: string) => said.push(text));
    const gone = once(child, "close") as Promise<[number | null]>;
    await Promise.race([reached.promise, gone]);
    child.kill(signal);
    assert.equal((await gone)[0], 130);
    assert.match(
      said.join(""),
      new RegExp(`pushing ${UHUB}/me/mnist:v1\n[^]*error INTERRUPTED: interrupted\n$`),
    );
    await assertNothingBehind(made, { before, images, name: signal });
  });
}
