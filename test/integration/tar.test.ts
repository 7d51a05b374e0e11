import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir, run } from "../../src/internal/index.ts";
import { readTar, writeTar, type TarInput } from "../../src/tar/index.ts";

const entries: readonly TarInput[] = [
  { path: "a", type: "directory", mode: 0o755, size: 0 },
  { path: "a/x.sh", type: "file", mode: 0o755, size: 2, content: Buffer.from("#!") },
  { path: "a/link", type: "symlink", mode: 0o777, size: 0, linkTarget: "x.sh" },
  { path: "a/second", type: "hardlink", mode: 0o755, size: 0, linkTarget: "a/link2" },
  { path: "a/link2", type: "file", mode: 0o644, size: 1, content: Buffer.from("2") },
  { path: `${"d".repeat(120)}/${"f".repeat(130)}.bin`, type: "file", mode: 0o644, size: 3, content: Buffer.from("abc") },
  { path: "模型/权重.bin", type: "file", mode: 0o644, size: 700, content: Buffer.alloc(700, 7) },
];
const names = ["a/", "a/link -> x.sh", "a/link2", "a/second link to a/link2", "a/x.sh", `${"d".repeat(120)}/${"f".repeat(130)}.bin`, "模型/权重.bin"];

test("GNU tar lists what was written, modes and links included", async () => {
  await using folder = await createTempDir("slipway-tar");
  const path = join(folder.path, "x.tar");
  await writeFile(path, writeTar(entries));
  const { stdout } = await run(["tar", "--quoting-style=literal", "-tvf", path], { env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" } });
  const lines = stdout.toString().trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => line.replace(/^.* 1970-01-01 00:00 /, "")), names);
  assert.match(lines[4] ?? "", /^-rwxr-xr-x 0\/0 +2 /);
});

test("Python's tarfile reads the same contents", async () => {
  await using folder = await createTempDir("slipway-tar");
  const path = join(folder.path, "x.tar");
  await writeFile(path, writeTar(entries));
  const script = "import sys,tarfile\nt=tarfile.open(sys.argv[1])\nprint(len(t.getmembers()), len(t.extractfile('模型/权重.bin').read()), t.extractfile('a/second').read())";
  const { stdout } = await run(["python3", "-c", script, path], { env: { ...process.env, PYTHONIOENCODING: "utf-8", LC_ALL: "C.UTF-8" } });
  assert.equal(stdout.toString().trim(), "7 700 b'2'");
});

for (const format of ["gnu", "pax", "ustar"]) {
  test(`a tar of GNU tar's ${format} format is read`, async () => {
    await using folder = await createTempDir("slipway-tar");
    const name = format === "ustar" ? "short.txt" : `${"n".repeat(180)}.txt`;
    await writeFile(join(folder.path, name), "content");
    const { stdout } = await run(["tar", "-C", folder.path, `--format=${format}`, "-cf", "-", `./${name}`]);
    const found: string[] = [];
    for await (const { entry, content } of readTar((async function* () { yield stdout; })())) found.push(entry.path, Buffer.concat(await Array.fromAsync(content)).toString());
    assert.deepEqual(found, [name, "content"]);
  });
}
