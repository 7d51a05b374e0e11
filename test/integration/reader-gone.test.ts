import assert from "node:assert/strict";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { mutateConfig } from "../../src/images/oci/index.ts";
import { requireDebianBase, storeImage } from "../support/debian-base.ts";
import { nameInStore } from "../support/fake-base.ts";
import { packPlace } from "../support/pack-place.ts";

/** Says its process id again and again. */
const SCRIPT = `
import os, time
while True:
  print("process", os.getpid(), flush=True)
  time.sleep(0.05)
`;

for (const gone of ["stdout", "stderr"] as const)
  test(`a command whose ${gone} nobody reads any more stops what it started, and ends well`, async (t) => {
    const cli = await packPlace(t);
    const base = await requireDebianBase(t, {
      include: ["python3"],
      architectures: [process.arch === "x64" ? "amd64" : "arm64"],
      blobs: cli.store,
    });
    const built = base?.images[0];
    if (built === undefined) return;
    const image = mutateConfig(built.image, (config) => ({
      ...config,
      config: { ...config.config, Entrypoint: ["/usr/bin/python3"], Cmd: ["-c", SCRIPT] },
    }));
    const descriptor = await storeImage(cli.store, image, "talker:test");
    await cli.store.tag(descriptor, nameInStore("talker"));

    // What happens is told on stdout as JSON, and what the image's program prints on stderr.
    const child = cli.start("run", "store:talker", "--unpacked", "--json");
    assert.ok(child.stdout !== null && child.stderr !== null);
    const started = await processIn(child.stderr);
    child[gone]?.destroy();
    child.stdout.resume();
    if (gone === "stdout") child.kill("SIGTERM"); // which is told there
    const [exitCode] = (await once(child, "exit")) as [number | null];
    assert.equal(exitCode, 0);
    assert.throws(() => process.kill(started, 0), { code: "ESRCH" });
  });

/** The id that `SCRIPT` says. */
async function processIn(stream: Readable): Promise<number> {
  let text = "";
  for (;;) {
    const id = /process (\d+)\n/.exec(text)?.[1];
    if (id !== undefined) return Number(id);
    const [chunk] = (await once(stream, "data")) as [Buffer];
    text += chunk.toString();
  }
}
