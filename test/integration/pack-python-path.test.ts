import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { imageFrom, parseReference } from "../../src/images/oci/index.ts";
import { packPlace } from "../support/pack-place.ts";
import { debianCacheDir } from "../support/debian-base.ts";
import { requirePeer } from "../support/peers.ts";
import { requireUv } from "../support/python-env.ts";
import { requireRootfs } from "../support/rootfs.ts";
import { writeWheel } from "../support/wheels.ts";

test("plain Python in a packed image finds the packages, and a second pack is the same", async (t) => {
  const uv = await requireUv(t);
  if (
    uv === undefined ||
    (await requirePeer(t, "apt-get")) === undefined ||
    (await requirePeer(t, "dpkg-deb")) === undefined
  )
    return;
  const cli = await packPlace(t);
  cli.env["PATH"] = `${dirname(uv)}:${cli.env["PATH"]}`;
  await mkdir(debianCacheDir(), { recursive: true });
  await symlink(debianCacheDir(), join(cli.env["XDG_CACHE_HOME"] ?? "", "slipway", "debian"));
  assert.equal(
    (await cli.slipway("base", "debian", "--include", "python3", "--name", "pybase")).exitCode,
    0,
  );
  const folder = join(cli.root, "model");
  await mkdir(join(folder, "wheels"), { recursive: true });
  await writeWheel(join(folder, "wheels"), {
    name: "one",
    files: { "one/__init__.py": "answer = 42\n" },
  });
  await writeFile(
    join(folder, "Model.py"),
    "class Model:\n    def predict(self, X, names=None):\n        return X\n",
  );
  await writeFile(join(folder, "requirements.txt"), "--no-index\n--find-links wheels\none\n");
  const pack = (): ReturnType<typeof cli.slipway> =>
    cli.slipway("pack", folder, "--base", "store:pybase", "--tag", "store:model", "--json");
  const packed = await pack();
  assert.equal(packed.exitCode, 0, packed.stderr + packed.stdout);
  assert.equal((await pack()).result["digest"], packed.result["digest"]);
  const image = imageFrom(
    cli.store,
    await cli.store.resolve({
      ...parseReference("store/model"),
      registry: "store",
      repository: "model",
      tag: "latest",
    }),
  );
  const rootfs = await requireRootfs(t, image);
  if (rootfs === undefined) return;
  assert.equal(
    await rootfs.run(["/usr/bin/python3", "-c", "import one; print(one.answer, one.__file__)"]),
    "42 /opt/slipway/site-packages/one/__init__.py\n",
  );
});
