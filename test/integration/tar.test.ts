import assert from "node:assert/strict";
import { mkdir, open, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import {
  planTar,
  readTar,
  writeTar,
  type TarInput,
  type TarPlan,
} from "../../src/images/tar/index.ts";
import { requirePeer } from "../support/peers.ts";

const entries: readonly TarInput[] = [
  { path: "a", type: "directory", mode: 0o755, size: 0 },
  { path: "a/x.sh", type: "file", mode: 0o755, size: 2, content: Buffer.from("#!") },
  { path: "a/link", type: "symlink", mode: 0o777, size: 0, linkTarget: "x.sh" },
  { path: "a/second", type: "hardlink", mode: 0o755, size: 0, linkTarget: "a/link2" },
  { path: "a/link2", type: "file", mode: 0o644, size: 1, content: Buffer.from("2") },
  {
    path: `${"d".repeat(120)}/${"f".repeat(130)}.bin`,
    type: "file",
    mode: 0o644,
    size: 3,
    content: Buffer.from("abc"),
  },
  { path: "模型/权重.bin", type: "file", mode: 0o644, size: 700, content: Buffer.alloc(700, 7) },
];
const names = [
  "a/",
  "a/link -> x.sh",
  "a/link2",
  "a/second link to a/link2",
  "a/x.sh",
  `${"d".repeat(120)}/${"f".repeat(130)}.bin`,
  "模型/权重.bin",
];

test("GNU tar lists what was written, modes and links included", async () => {
  await using folder = await createTempDir("slipway-tar");
  const path = join(folder.path, "x.tar");
  await writeFile(path, writeTar(entries));
  const { stdout } = await run(["tar", "--quoting-style=literal", "-tvf", path], {
    env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" },
  });
  const lines = stdout.toString().trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => line.replace(/^.* 1970-01-01 00:00 /, "")),
    names,
  );
  assert.match(lines[4] ?? "", /^-rwxr-xr-x 0\/0 +2 /);
});

test("Python's tarfile reads the same contents", async () => {
  await using folder = await createTempDir("slipway-tar");
  const path = join(folder.path, "x.tar");
  await writeFile(path, writeTar(entries));
  const script =
    "import sys,tarfile\nt=tarfile.open(sys.argv[1])\nprint(len(t.getmembers()), len(t.extractfile('模型/权重.bin').read()), t.extractfile('a/second').read())";
  const { stdout } = await run(["python3", "-c", script, path], {
    env: { ...process.env, PYTHONIOENCODING: "utf-8", LC_ALL: "C.UTF-8" },
  });
  assert.equal(stdout.toString().trim(), "7 700 b'2'");
});

for (const format of ["gnu", "pax", "ustar"]) {
  test(`a tar of GNU tar's ${format} format is read`, async () => {
    await using folder = await createTempDir("slipway-tar");
    const name = format === "ustar" ? "short.txt" : `${"n".repeat(180)}.txt`;
    await writeFile(join(folder.path, name), "content");
    const { stdout } = await run([
      "tar",
      "-C",
      folder.path,
      `--format=${format}`,
      "-cf",
      "-",
      `./${name}`,
    ]);
    const found: string[] = [];
    for await (const { entry, content } of readTar(
      (async function* () {
        yield stdout;
      })(),
    ))
      found.push(entry.path, Buffer.concat(await Array.fromAsync(content)).toString());
    assert.deepEqual(found, [name, "content"]);
  });
}

test("GNU tar and Python unpack what was written, to the same files", async (t) => {
  const python = await requirePeer(t, "python3");
  if (python === undefined) return;
  await using folder = await createTempDir("slipway-tar");
  const path = join(folder.path, "x.tar");
  await writeFile(path, writeTar(entries, { mtimeS: 1_700_000_000 }));
  const [gnu, other] = [join(folder.path, "gnu"), join(folder.path, "python")];
  await mkdir(gnu);
  await run(["tar", "--no-same-owner", "-C", gnu, "-xf", path], {
    extraEnv: { LC_ALL: "C.UTF-8" },
  });
  await run(
    [
      python,
      "-c",
      "import sys,tarfile\ntarfile.open(sys.argv[1]).extractall(sys.argv[2])",
      path,
      other,
    ],
    { extraEnv: { LC_ALL: "C.UTF-8", PYTHONUTF8: "1" } },
  );
  for (const root of [gnu, other]) {
    assert.equal(await readlink(join(root, "a/link")), "x.sh");
    assert.equal((await stat(join(root, "a/x.sh"))).mode & 0o777, 0o755);
    assert.equal((await stat(join(root, "a/x.sh"))).mtimeMs, 1_700_000_000_000);
    assert.equal((await stat(join(root, "a/second"))).ino, (await stat(join(root, "a/link2"))).ino);
    assert.deepEqual(await readFile(join(root, "模型/权重.bin")), Buffer.alloc(700, 7));
    assert.equal(
      await readFile(join(root, `${"d".repeat(120)}/${"f".repeat(130)}.bin`), "utf8"),
      "abc",
    );
  }
  await run(["diff", "-r", "--no-dereference", gnu, other]);
});

test("a file beyond 8 GiB has the size in other readers that it has here", async (t) => {
  const python = await requirePeer(t, "python3");
  if (python === undefined) return;
  await using folder = await createTempDir("slipway-tar");
  const path = join(folder.path, "big.tar");
  const size = 9 * 2 ** 30 + 5;
  const plan = planTar([
    { path: "a.bin", type: "file", mode: 0o644, size },
    { path: "b.txt", type: "file", mode: 0o644, size: 3 },
  ]);
  await writeSparse(path, plan);
  const script =
    "import sys,tarfile\nt=tarfile.open(sys.argv[1])\nprint([(m.name,m.size) for m in t.getmembers()], t.extractfile('b.txt').read())";
  assert.equal(
    (await run([python, "-c", script, path])).stdout.toString().trim(),
    `[('a.bin', ${size}), ('b.txt', 3)] b'abc'`,
  );
  const listed = (await run(["tar", "--seek", "-tvf", path])).stdout.toString();
  assert.match(listed, new RegExp(` ${size} .* a.bin\\n.* 3 .* b.txt\\n$`));
});

/** Writes a plan whose first content is a hole, and whose second is "abc". */
async function writeSparse(path: string, plan: TarPlan): Promise<void> {
  await using file = await open(path, "w");
  let position = 0;
  for (const segment of plan.segments) {
    if (segment.kind === "bytes")
      await file.write(segment.bytes, 0, segment.bytes.byteLength, position);
    else if (segment.size === 3) await file.write("abc", position);
    position += segment.kind === "bytes" ? segment.bytes.byteLength : segment.size;
  }
  assert.equal(position, plan.size);
}

test("what hostile tars GNU tar can make, is read without harm or refused", async () => {
  await using folder = await createTempDir("slipway-tar");
  await writeFile(join(folder.path, "f"), "x");
  const make = async (...args: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await run(["tar", "-C", folder.path, "-cf", "-", ...args, "f"], {
      extraEnv: { LC_ALL: "C.UTF-8" },
    });
    return Array.fromAsync(
      readTar(
        (async function* () {
          yield stdout;
        })(),
      ),
      ({ entry }) => entry.path,
    );
  };
  await assert.rejects(make("-P", "--transform=s,^,/etc/,"), {
    code: "ARCHIVE_INVALID",
    message: /absolute/,
  });
  await assert.rejects(make("-P", "--transform=s,^,a/../../,"), {
    code: "ARCHIVE_INVALID",
    message: /leaves the archive/,
  });
  assert.deepEqual(await make("--transform=s,^,./a//./b/,"), ["a/b/f"]);
  assert.deepEqual(await make("--format=pax", "--pax-option=globexthdr.name=x,comment=y"), ["f"]);
  await assert.rejects(make("--format=pax", "--pax-option=path=../../up"), {
    code: "ARCHIVE_INVALID",
  });
});
