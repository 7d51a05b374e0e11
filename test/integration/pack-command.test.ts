import assert from "node:assert/strict";
import {
  chmod,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  imageFrom,
  manifestOf,
  parseIndex,
  readVerified,
  validateImage,
  type Descriptor,
} from "../../src/images/oci/index.ts";
import { nameInStore, putFakeBase } from "../support/fake-base.ts";
import { type PackPlace, packPlace, writeFiles } from "../support/pack-place.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { startRegistry } from "../support/registry-fixture.ts";

const CODE = "class Model:\n    def predict(self, X, names=None):\n        return X\n";

async function makeProject({ root }: PackPlace, name = "model"): Promise<string> {
  const folder = join(root, name);
  await writeFiles(folder, { "Model.py": CODE, "weights.bin": Buffer.alloc(9 * 2 ** 20, 7) });
  return folder;
}

/** Every file below a folder with its size and content time. */
async function snapshot(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return (
    await Promise.all(names.map(async (name) => `${name} ${(await stat(join(folder, name))).size}`))
  ).toSorted();
}

interface Plan {
  readonly images: readonly {
    readonly layers: readonly {
      readonly label: string;
      readonly state: string;
      readonly push?: string;
      readonly digest?: string;
    }[];
  }[];
  readonly pushes: readonly {
    readonly sentBytes: number;
    readonly mountedBytes: number;
    readonly skippedBytes: number;
    readonly isExact: boolean;
    readonly isAnswered: boolean;
  }[];
}

test("what the plan foretells of a push is what the push does: new, after a change, and when nothing changed", async (t) => {
  const registry = await startDockerRegistry(t);
  if (registry === undefined) return;
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  const base = `${registry.host}/bases/python:1`;
  assert.equal((await cli.slipway("push", "store:base", base)).exitCode, 0);
  const folder = await makeProject(cli);
  const name = `${registry.host}/team/model:1`;
  const pack = async (...more: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
    const ran = await cli.slipway("pack", folder, "--base", base, "-t", name, "--json", ...more);
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
    return ran.result;
  };
  await cli.slipway("pack", folder, "--base", base, "-t", "store:known"); // hashes the weights, sends nothing
  for (const [what, change] of [
    ["new", undefined],
    ["after a change of code", `${CODE}# changed\n`],
    ["unchanged", undefined],
  ] as const) {
    if (change !== undefined) await writeFile(join(folder, "Model.py"), change);
    const { pushes, images } = (await pack("--plan")) as unknown as Plan;
    const result = await pack("--push");
    assert.deepEqual(
      pushes[0],
      {
        name,
        sentBytes: result["bytesUploaded"],
        mountedBytes: result["bytesMounted"],
        skippedBytes: pushes[0]?.skippedBytes,
        isExact: true,
        isAnswered: true,
      },
      what,
    );
    const fates = images[0]?.layers.map(({ label, push }) => `${label}: ${push}`) ?? [];
    if (what === "new")
      assert.deepEqual(fates.slice(0, 3), [
        "base layer 1: mount",
        "base layer 2: mount",
        "base layer 3: mount",
      ]);
    if (what === "after a change of code")
      assert.deepEqual(
        fates.filter((fate) => fate.endsWith("send")),
        ["code: send"],
      );
    if (what === "unchanged") assert.equal(pushes[0]?.sentBytes, 0);
  }
});

test("a plan does not read large files, says what is therefore not counted, and that a registry does not answer", async (t) => {
  const cli = await packPlace(t);
  await using registry = await startRegistry();
  await putFakeBase(cli.store, "base");
  const folder = await makeProject(cli);
  await writeFile(join(folder, "large.bin"), "");
  await truncate(join(folder, "large.bin"), 2 ** 40);
  const ran = await cli.slipway(
    "pack",
    folder,
    "--base",
    "store:base",
    "-t",
    `${registry.server.host}:${registry.server.port}/m:1`,
    "--plan",
  );
  assert.match(ran.stdout, /large\.bin +1\.0 TiB +when it is read +new +send/);
  assert.match(ran.stdout, /weights\.bin +9\.0 MiB +[0-9a-f]{12} +new +send/);
  assert.match(
    ran.stdout,
    /a push to \S+ sends 1\.0 TiB, mounts 0 B and finds 0 B; files that were never read count as new, config and manifest come on top/,
  );
  const gone = await cli.slipway(
    "pack",
    folder,
    "--base",
    "store:base",
    "-t",
    "127.0.0.1:1/m:1",
    "--plan",
  );
  assert.equal(gone.exitCode, 0);
  assert.match(gone.stdout, /127\.0\.0\.1:1\/m:1 cannot be asked what it has/);
});

test("what another repository of the registry has is foretold as mounted, and is", async (t) => {
  const registry = await startDockerRegistry(t);
  if (registry === undefined) return;
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  const folder = await makeProject(cli);
  assert.equal(
    (
      await cli.slipway(
        "pack",
        folder,
        "--base",
        "store:base",
        "-t",
        `${registry.host}/one:1`,
        "--push",
      )
    ).exitCode,
    0,
  );
  const args = ["pack", folder, "--base", "store:base", "-t", `${registry.host}/two:1`, "--json"];
  const { pushes } = (await cli.slipway(...args, "--plan")).result as unknown as Plan;
  const { result } = await cli.slipway(...args, "--push");
  assert.ok(Number(result["bytesMounted"]) > 50 * 2 ** 20);
  assert.deepEqual(
    [pushes[0]?.sentBytes, pushes[0]?.mountedBytes],
    [result["bytesUploaded"], result["bytesMounted"]],
  );
});

test("a dry run checks everything and leaves nothing behind", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  const folder = await makeProject(cli);
  const places = [cli.store.dataDir, cli.store.cacheDir];
  const before = await Promise.all(places.map(snapshot));
  const ran = await cli.slipway("pack", folder, "--base", "store:base", "--dry-run");
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.match(ran.stdout, /weights\.bin/);
  assert.deepEqual(await Promise.all(places.map(snapshot)), before);
  await writeFile(join(folder, ".env"), "KEY=x");
  const refused = await cli.slipway("pack", folder, "--base", "store:base", "--dry-run");
  assert.match(refused.stderr, /error SECRET_IN_CONTEXT/);
});

test("a base that the target's registry has is used by digest and never downloaded", async (t) => {
  const cli = await packPlace(t);
  await using registry = await startRegistry();
  const host = `${registry.server.host}:${registry.server.port}`;
  const other = await packPlace(t);
  await putFakeBase(other.store, "base");
  assert.equal((await other.slipway("push", "store:base", `${host}/base:1`)).exitCode, 0);
  const base = await other.store.resolve(nameInStore("base"));
  const folder = await makeProject(cli);
  const { result, exitCode, stderr } = await cli.slipway(
    "pack",
    folder,
    "--base",
    `${host}/base:1`,
    "-t",
    `${host}/model:1`,
    "--push",
    "--json",
  );
  assert.equal(exitCode, 0, stderr);
  assert.ok(Number(result["bytesMounted"]) > 60_000);
  const baseManifest = await manifestOf(imageFrom(other.store, base));
  for (const layer of baseManifest.layers)
    assert.equal(await cli.store.has(layer), false, "a layer of the base was downloaded");
  const target = await cli.store.resolve({ registry: host, repository: "model", tag: "1" });
  const { annotations } = await manifestOf(imageFrom(cli.store, target));
  assert.equal(annotations?.["org.opencontainers.image.base.digest"], base.digest);
  const verified = await cli.slipway("verify", `${host}/model:1`);
  assert.equal(verified.exitCode, 0, verified.stderr);
});

const UNFIT = [
  {
    what: "another architecture",
    base: {},
    project: {},
    flags: ["--platform", "linux/arm64"],
    message: /is for linux\/amd64, and linux\/arm64 is wanted/,
  },
  {
    what: "another Python than the project asks for",
    base: {},
    project: { "slipway.yaml": 'python:\n  version: "3.12"\n' },
    flags: [],
    message: /its Python is 3\.11\.2, and python\.version of the project file asks for 3\.12/,
  },
  { what: "no Python", base: { python: "" }, project: {}, flags: [], message: /it has no Python/ },
  {
    what: "a glibc that is too old for Node",
    base: { glibc: "2.17" },
    project: {},
    flags: [],
    message: /its glibc is 2\.17, and Node needs 2\.28 or newer/,
  },
  {
    what: "too many layers",
    base: { layers: 124 },
    project: {},
    flags: [],
    message: /the image would have 130 layers, and container runtimes mount 127 at most/,
  },
] as const;

for (const { what, base, project, flags, message } of UNFIT) {
  test(`a base with ${what} is refused before anything is sent`, async (t) => {
    const cli = await packPlace(t);
    await using registry = await startRegistry();
    await putFakeBase(cli.store, "base", base);
    const folder = await makeProject(cli);
    await writeFiles(folder, project);
    const ran = await cli.slipway(
      "pack",
      folder,
      "--base",
      "store:base",
      "-t",
      `${registry.server.host}:${registry.server.port}/m:1`,
      "--push",
      ...flags,
    );
    assert.notEqual(ran.exitCode, 0);
    assert.match(ran.stderr, message);
    // The registry may have been asked for leave; it was given nothing.
    const kept = await readdir(join(registry.folder, "data"), {
      recursive: true,
      withFileTypes: true,
    }).catch(() => []);
    assert.deepEqual(
      kept.filter((entry) => entry.isFile()).map(({ name }) => name),
      [],
    );
  });
}

test("one pack for two platforms pushes an index whose images share every layer that knows no platform", async (t) => {
  const registry = await startDockerRegistry(t);
  if (registry === undefined) return;
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base", { architectures: ["amd64", "arm64"] });
  const folder = await makeProject(cli);
  const name = `${registry.host}/team/both:1`;
  const args = [
    "pack",
    folder,
    "--base",
    "store:base",
    "-t",
    name,
    "--platform",
    "linux/amd64,linux/arm64",
    "--json",
  ];
  const plan = (await cli.slipway(...args, "--plan")).result as unknown as Partial<Plan>;
  const ran = await cli.slipway(...args, "--push");
  if (/the npm registry (does not answer|answered)/.test(ran.stdout))
    return t.skip("the npm registry does not answer, and Node for arm64 comes from there");
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
  assert.equal(ran.result["mediaType"], "application/vnd.oci.image.index.v1+json");
  assert.equal(
    plan.pushes?.[0]?.sentBytes,
    ran.result["bytesUploaded"],
    "what both share is foretold once",
  );
  const index = await cli.store.resolve({
    registry: registry.host,
    repository: "team/both",
    tag: "1",
  });
  const { manifests } = parseIndex(
    await readVerified(cli.store.open(index), index, { maxBytes: 10_000 }),
  );
  assert.deepEqual(
    manifests.map(({ platform }) => platform?.architecture),
    ["amd64", "arm64"],
  );
  const [amd64, arm64] = await Promise.all(
    manifests.map((descriptor) => layersByLabel(cli, descriptor)),
  );
  for (const label of ["weights.bin", "code", "slipway server"])
    assert.equal(arm64?.get(label), amd64?.get(label) ?? "missing", label);
  assert.notEqual(arm64?.get("Node arm64"), amd64?.get("Node amd64"));
  const sent = ran.stdout
    .split("\n")
    .filter((line) => line.includes('"label":"weights.bin"') && line.includes('"event":"done"'));
  assert.equal(sent.length, 1, "the weights went over the wire once");
  assert.equal((await cli.slipway("verify", name)).exitCode, 0);
});

async function layersByLabel(
  { store }: PackPlace,
  descriptor: Descriptor,
): Promise<ReadonlyMap<string, string>> {
  const image = imageFrom(store, descriptor);
  const { history = [] } = JSON.parse(Buffer.from(await image.rawConfig()).toString()) as {
    history?: readonly { created_by?: string }[];
  };
  const { layers } = await manifestOf(image);
  return new Map(
    layers.map(({ digest }, at) => [
      (history[at]?.created_by ?? "").replace("slipway pack: ", ""),
      digest,
    ]),
  );
}

test("packing again reads no byte of the weights", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  const folder = join(cli.root, "model");
  await mkdir(folder);
  await writeFile(join(folder, "Model.py"), CODE);
  const size = 256 * 2 ** 20;
  await writeFile(join(folder, "weights.bin"), "");
  await truncate(join(folder, "weights.bin"), size);
  const script = join(cli.root, "counted.mjs");
  // The kernel counts what a process reads; the child prints it at its end.
  await writeFile(
    script,
    `import { readFileSync } from "node:fs"; process.on("exit", () => process.stderr.write("read " + /rchar: (\\d+)/.exec(readFileSync("/proc/self/io", "utf8"))[1] + "\\n"));\n`,
  );
  cli.env["NODE_OPTIONS"] = `--import=${script}`;
  const readBytes = async (): Promise<number> =>
    Number(
      /read (\d+)/.exec((await cli.slipway("pack", folder, "--base", "store:base")).stderr)?.[1],
    );
  const first = await readBytes();
  assert.ok(first > size, `the first pack reads them: ${first}`);
  await writeFile(join(folder, "Model.py"), `${CODE}# changed\n`);
  const second = await readBytes();
  assert.ok(second < 32 * 2 ** 20, `a pack after a change of code read ${second} bytes`);
});

test("weights that are the same under other times, another mode or another inode are not sent again", async (t) => {
  const cli = await packPlace(t);
  await using registry = await startRegistry();
  await putFakeBase(cli.store, "base");
  const folder = await makeProject(cli);
  const weights = join(folder, "weights.bin");
  const push = async (): Promise<Readonly<Record<string, unknown>>> => {
    const ran = await cli.slipway(
      "pack",
      folder,
      "--base",
      "store:base",
      "-t",
      `${registry.server.host}:${registry.server.port}/model:1`,
      "--push",
      "--json",
    );
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
    return ran.result;
  };
  const first = await push();
  assert.ok(Number(first["bytesUploaded"]) > 9 * 2 ** 20);
  const changes: Readonly<Record<string, () => Promise<void>>> = {
    "another mode": () => chmod(weights, 0o600),
    "another time": () => utimes(weights, 1_000_000_000, 1_000_000_000),
    "another inode": async () => {
      await cp(weights, `${weights}.new`);
      await rename(`${weights}.new`, weights);
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    await change();
    const again = await push();
    assert.deepEqual([again["bytesUploaded"], again["digest"]], [0, first["digest"]], what);
  }
  await writeFile(weights, Buffer.alloc(9 * 2 ** 20, 8));
  assert.ok(
    Number((await push())["bytesUploaded"]) > 9 * 2 ** 20,
    "other content of the same size is sent",
  );
});

test("a packed image is whole, and its description says where everything is", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  await makeProject(cli);
  assert.equal((await cli.slipway("pack", "model", "--base", "store:base")).exitCode, 0);
  const target = await cli.store.resolve(nameInStore("model"));
  await validateImage(imageFrom(cli.store, target));
  const archive = join(cli.root, "model.tar");
  const ran = await cli.slipway(
    "pack",
    "model",
    "--base",
    "store:base",
    "--output",
    `oci-archive=${archive}`,
  );
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.ok((await readFile(archive)).byteLength > 40 * 2 ** 20);
});

test("doctor finds what an image starts with, and fails one that lacks it", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  await makeProject(cli);
  await cli.slipway("pack", "model", "--base", "store:base");
  const well = await cli.slipway("doctor", "store:model");
  assert.equal(well.exitCode, 0, well.stdout);
  for (const line of [
    /ok +glibc +2\.36/,
    /ok +python +3\.11\.2/,
    /ok +user +8888:0/,
    /ok +file +\/opt\/slipway\/node/,
    /ok +file +\/opt\/slipway\/server\.mjs/,
    /ok +file +\/usr\/bin\/python3/,
  ])
    assert.match(well.stdout, line);
  await putFakeBase(cli.store, "bare", { isBare: true });
  await cli.slipway("pack", "model", "--base", "store:bare", "-t", "store:lame");
  const ill = await cli.slipway("doctor", "store:lame");
  assert.notEqual(ill.exitCode, 0);
  assert.match(ill.stdout, /fail +file +\/usr\/bin\/python3 is not in the image/);
});

test("a base that may be gone when the image is sent is refused, with the way to keep it", async (t) => {
  const cli = await packPlace(t);
  const folder = await makeProject(cli);
  for (const base of ["oci:layout", "docker-archive:base.tar", "docker-daemon:python:3"]) {
    const { exitCode, stderr } = await cli.slipway("pack", folder, "--base", base);
    assert.equal(exitCode, 2, stderr);
    assert.ok(stderr.includes(`slipway copy ${base} store:base`), stderr);
  }
});

test("doctor fails an image whose content is damaged, and verify says in which layer it is", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  const folder = await makeProject(cli);
  await cli.slipway("pack", folder, "--base", "store:base");
  await writeFile(join(folder, "weights.bin"), "other");
  const ill = await cli.slipway("doctor", "store:model");
  assert.notEqual(ill.exitCode, 0);
  assert.match(ill.stdout, /ok +digests/);
  assert.match(ill.stdout, /fail +content +read ".*weights\.bin": it had/);
  const { layers } = await manifestOf(
    imageFrom(cli.store, await cli.store.resolve(nameInStore("model"))),
  );
  const at = layers.findIndex(({ size }) => size > 9 * 2 ** 20 && size < 10 * 2 ** 20) + 1;
  const verified = await cli.slipway("verify", "store:model", "--json");
  assert.equal(verified.result["code"], "FILE_CHANGED");
  assert.match(
    String(verified.result["message"]),
    new RegExp(`^verify "store:model": layer ${at} differs: read ".*weights\\.bin"`),
  );
});

test("init writes a project file that editors can check and that packs to the same image", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  const folder = await makeProject(cli);
  const before = await cli.slipway("pack", folder, "--base", "store:base", "--json");
  assert.equal((await cli.slipway("init", folder, "--base", "store:base")).exitCode, 0);
  assert.match(
    await readFile(join(folder, "slipway.yaml"), "utf8"),
    /^# yaml-language-server: \$schema=\S+\.json\n[^]*code: Model\.py:Model[^]*base: store:base/,
  );
  const after = await cli.slipway("pack", folder, "--json");
  assert.equal(after.result["digest"], before.result["digest"]);
  const again = await cli.slipway("init", folder);
  assert.match(again.stderr, /is there already\n {2}hint: pass --force/);
});
