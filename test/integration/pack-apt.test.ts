import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  appendLayers,
  configOf,
  emptyImage,
  imageFrom,
  parseReference,
  validateImage,
  type Platform,
} from "../../src/images/oci/index.ts";
import { inspectDebian } from "../../src/images/bases/index.ts";
import { pushImage } from "../../src/images/copy/index.ts";
import { type PackPlace, packPlace } from "../support/pack-place.ts";
import { debianCacheDir } from "../support/debian-base.ts";
import { requirePeer } from "../support/peers.ts";
import { randomLayer } from "../support/random-image.ts";

const AMD64: Platform = { os: "linux", architecture: "amd64" };

async function project(cli: PackPlace, yaml: string): Promise<string> {
  const folder = join(cli.root, "model");
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, "Model.py"),
    "class Model:\n    def predict(self, X, names=None):\n        return X\n",
  );
  await writeFile(join(folder, "slipway.yaml"), `code: Model.py:Model\n${yaml}`);
  return folder;
}

/** Debian packages are fetched once a machine, as any user's second run does. */
async function shareDebianCache(cli: PackPlace): Promise<void> {
  await mkdir(debianCacheDir(), { recursive: true });
  await symlink(debianCacheDir(), join(cli.env["XDG_CACHE_HOME"] ?? "", "slipway", "debian"));
}

test("packages of the project file become a layer between the base and ours, the same every time", async (t) => {
  if (
    (await requirePeer(t, "apt-get")) === undefined ||
    (await requirePeer(t, "dpkg-deb")) === undefined
  )
    return;
  const cli = await packPlace(t);
  await shareDebianCache(cli);
  const made = await cli.slipway("base", "debian", "--include", "python3", "--name", "pybase");
  assert.equal(made.exitCode, 0, made.stderr);
  const folder = await project(cli, "base: store:pybase\napt: [libgomp1]\n");

  const plan = await cli.slipway("pack", folder, "--plan");
  assert.match(plan.stdout, /Debian: libgomp1/);
  const first = await cli.slipway("pack", folder, "--tag", "store:model", "--json");
  assert.equal(first.exitCode, 0, first.stderr + first.stdout);
  const second = await cli.slipway("pack", folder, "--tag", "store:model", "--json");
  assert.equal(second.result["digest"], first.result["digest"]);

  const image = imageFrom(
    cli.store,
    await cli.store.resolve({
      ...parseReference("store/model"),
      registry: "store",
      repository: "model",
      tag: "latest",
    }),
  );
  await validateImage(image);
  const config = await configOf(image);
  const facts = await inspectDebian(image);
  assert.ok(
    facts?.packages.some(({ name }) => name === "libgomp1"),
    "scanners find it in the image",
  );
  assert.ok(facts?.sonames.includes("libgomp.so.1"));
  const steps = (config.history ?? []).map(({ created_by }) => created_by ?? "");
  const [apt, ours] = [
    steps.findIndex((step) => /libgomp1|1 package/.test(step)),
    steps.findIndex((step) => step.startsWith("slipway pack:")),
  ];
  assert.ok(apt > 0 && apt < ours, steps.join("\n"));
  assert.equal(config.architecture, AMD64.architecture);
});

test("a package that the archive lacks is named, and nothing is packed", async (t) => {
  if (
    (await requirePeer(t, "apt-get")) === undefined ||
    (await requirePeer(t, "dpkg-deb")) === undefined
  )
    return;
  const cli = await packPlace(t);
  await shareDebianCache(cli);
  assert.equal(
    (await cli.slipway("base", "debian", "--include", "python3", "--name", "pybase")).exitCode,
    0,
  );
  const folder = await project(cli, "base: store:pybase\napt: [libnosuchthing9]\n");
  const refused = await cli.slipway("pack", folder, "--tag", "store:model");
  assert.notEqual(refused.exitCode, 0);
  assert.match(refused.stderr, /PACKAGE_UNAVAILABLE.*"libnosuchthing9"/s);
  assert.deepEqual(
    (await cli.store.list()).map(({ reference }) => reference.repository),
    ["pybase"],
  );
});

test("a base that is no Debian takes no packages, and says so", async (t) => {
  const cli = await packPlace(t);
  const image = appendLayers(emptyImage(AMD64), [
    { layer: randomLayer({ bytes: 2000 }), history: { created_by: "test" } },
  ]);
  await pushImage(image, cli.store, {
    to: [{ registry: "store", repository: "other", tag: "latest" }],
  });
  const folder = await project(cli, "base: store:other\napt: [libgomp1]\n");
  const refused = await cli.slipway("pack", folder, "--tag", "store:model");
  assert.notEqual(refused.exitCode, 0);
  assert.match(refused.stderr, /BASE_UNSUITABLE.*libgomp1.*no Debian/s);
  assert.ok(await readFile(join(folder, "Model.py")), "the project is as it was");
});
