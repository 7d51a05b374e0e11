import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir, run } from "../../../ground/process/index.ts";
import { findSecrets, refuseSecrets } from "./find-secrets.ts";
import { walkProject, walkTree } from "./walk.ts";

async function folderWith(files: Readonly<Record<string, string>>) {
  const folder = await createTempDir("slipway-walk");
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder.path, path, ".."), { recursive: true });
    await writeFile(join(folder.path, path), text);
  }
  return folder;
}

const pathsOf = async (root: string, ignore: readonly string[] = []): Promise<readonly string[]> =>
  (await walkProject(root, { ignore })).map(({ path }) => path);

test("files come sorted bytewise, and what no image needs stays out", async () => {
  await using folder = await folderWith({
    "b.py": "",
    "a/z": "",
    "a-b": "",
    Z: "",
    ".git/config": "",
    "x/__pycache__/y.pyc": "",
    ".venv/bin/python": "",
    "slipway.yaml": "",
    "sub/.git/config": "",
    "sub/lib/.venv/bin/python": "",
    "sub/web/node_modules/x/index.js": "",
    "sub/venv/pyvenv.cfg": "",
  });
  assert.deepEqual(await pathsOf(folder.path), ["Z", "a-b", "a/z", "b.py"]);
});

test("a folder with nothing in it is told apart from one that holds what stays out", async () => {
  await using folder = await folderWith({
    "a.py": "",
    "full/x.py": "",
    "cached/__pycache__/y.pyc": "",
  });
  for (const path of ["logs", "a/deep/empty", "out"])
    await mkdir(join(folder.path, path), { recursive: true });
  const { files, emptyFolders } = await walkTree(folder.path, { ignore: ["out"] });
  assert.deepEqual(
    [files.map(({ path }) => path), emptyFolders],
    [
      ["a.py", "full/x.py"],
      ["a/deep/empty", "logs"],
    ],
  );
});

test("the ignore file is honoured, the tool's own before Docker's", async () => {
  await using folder = await folderWith({
    "keep.py": "",
    "data.csv": "",
    ".slipwayignore": "*.csv\n",
    ".dockerignore": "*.py\n",
  });
  assert.deepEqual(await pathsOf(folder.path), ["keep.py"]);
});

test("an exception brings back a file of an ignored folder", async () => {
  await using folder = await folderWith({
    "data/big.csv": "",
    "data/keep.csv": "",
    ".dockerignore": "data\n!data/keep.csv\n",
  });
  assert.deepEqual(await pathsOf(folder.path), ["data/keep.csv"]);
});

test("links inside the folder are resolved, also those of a Hugging Face cache", async () => {
  await using folder = await folderWith({
    "models--a--b/blobs/0123": "weights",
    "models--a--b/snapshots/rev/config.json": "{}",
  });
  const snapshot = join(folder.path, "models--a--b/snapshots/rev");
  await symlink("../../blobs/0123", join(snapshot, "model.safetensors"));
  await symlink("config.json", join(snapshot, "copy.json"));
  const files = await walkProject(snapshot);
  assert.deepEqual(
    files.map(({ path }) => path),
    ["config.json", "copy.json", "model.safetensors"],
  );
  assert.match(files[2]?.source ?? "", /blobs\/0123$/);
});

test("a Hugging Face cache inside a project goes in once, under the names of its snapshots", async () => {
  await using folder = await folderWith({
    "hub/models--a--b/blobs/0123": "weights",
    "hub/models--a--b/blobs/4567": "linked by nobody",
    "hub/models--a--b/refs/main": "rev",
    "hub/models--a--b/snapshots/rev/notes.txt": "",
    "lib/libx.so.1": "library",
  });
  const snapshot = join(folder.path, "hub/models--a--b/snapshots/rev");
  await symlink("../../blobs/0123", join(snapshot, "model.safetensors"));
  await symlink("libx.so.1", join(folder.path, "lib/libx.so"));
  const { files, linkedBlobs } = await walkTree(folder.path);
  assert.deepEqual(
    files.map(({ path }) => path),
    [
      "hub/models--a--b/blobs/4567",
      "hub/models--a--b/refs/main",
      "hub/models--a--b/snapshots/rev/model.safetensors",
      "hub/models--a--b/snapshots/rev/notes.txt",
      "lib/libx.so",
      "lib/libx.so.1",
    ],
  );
  assert.deepEqual(linkedBlobs, ["hub/models--a--b/blobs/0123"]);
});

test("a link out of the folder, to nothing, or to a folder above is refused by name", async () => {
  for (const target of ["/etc/passwd", "missing", ".."]) {
    await using folder = await folderWith({ "sub/file": "" });
    await symlink(target, join(folder.path, "sub/link"));
    await assert.rejects(walkProject(folder.path), {
      code: "FILE_REFUSED",
      message: /"sub\/link"/,
    });
  }
});

test("an ignore file that exists and cannot be read stops the walk, whatever is behind it", async () => {
  const broken: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
    "a link to nothing": (path) => symlink("../gone", path),
    "not a file": (path) => mkdir(path),
    "not text in UTF-8 or UTF-16": (path) => writeFile(path, Buffer.from([0x64, 0xff, 0x0a])),
    "not text in UTF-8": (path) => writeFile(path, Buffer.from("data\n", "utf16le")),
    "longer than": (path) => writeFile(path, "x\n".repeat(2 ** 20)),
  };
  for (const name of [".slipwayignore", ".dockerignore"]) {
    for (const [why, make] of Object.entries(broken)) {
      await using folder = await folderWith({ "M.py": "", "data/private.bin": "x" });
      await make(join(folder.path, name));
      await assert.rejects(walkProject(folder.path), (error: Error & { code?: string }) => {
        assert.equal(error.code, "FILE_REFUSED");
        assert.ok(error.message.includes(name) && error.message.includes(why), error.message);
        return true;
      });
    }
  }
});

test("an ignore file without read permission stops the walk", async () => {
  await using folder = await folderWith({
    "M.py": "",
    "data/private.bin": "x",
    ".slipwayignore": "data\n",
    "read.mjs": `import(process.argv[2]).then(({ walkProject }) => walkProject(process.argv[3]))
      .then((files) => console.log(files.length), (error) => console.log(error.code));`,
  });
  await chmod(folder.path, 0o755);
  await chmod(join(folder.path, ".slipwayignore"), 0o000);
  const command = [
    join(folder.path, "read.mjs"),
    join(import.meta.dirname, "walk.ts"),
    folder.path,
  ];
  const asOther = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const { stdout, stderr } = spawnSync(process.execPath, command, { ...asOther, encoding: "utf8" });
  assert.equal(stdout.trim(), "FILE_REFUSED", stderr);
});

test("ignore files of Windows are read: UTF-16 and UTF-8 with byte order marks, any line end", async () => {
  const texts = [
    Buffer.from("\ufeffdata\r\n", "utf16le"),
    Buffer.from("\ufeffdata\r\n", "utf16le").swap16(),
    Buffer.from("\ufeffdata\r\n"),
    Buffer.from("x\rdata\r"),
  ];
  for (const text of texts) {
    await using folder = await folderWith({ "M.py": "", "data/private.bin": "x" });
    await writeFile(join(folder.path, ".dockerignore"), text);
    assert.deepEqual(await pathsOf(folder.path), ["M.py"]);
  }
});

test("names that a layer reads as whiteouts are refused by name, unless they stay out", async () => {
  for (const path of [
    "data/.wh..wh..opq",
    "data/.wh.weights.bin",
    ".wh.x/file",
    "a/.wh..wh.plnk/1",
  ]) {
    await using folder = await folderWith({ [path]: "", "data/weights.bin": "w" });
    await assert.rejects(walkProject(folder.path), { code: "FILE_REFUSED", message: /\.wh\./ });
    assert.deepEqual(await pathsOf(folder.path, ["**/.wh.*"]), ["data/weights.bin"]);
  }
  await using empty = await folderWith({ "a.py": "" });
  await mkdir(join(empty.path, "out/.wh.empty"), { recursive: true });
  await assert.rejects(walkProject(empty.path), { code: "FILE_REFUSED", message: /\.wh\.empty/ });
});

test("sockets and pipes are refused by name", async () => {
  await using folder = await folderWith({});
  const server = createServer().listen(join(folder.path, "s.sock"));
  await once(server, "listening");
  await assert.rejects(walkProject(folder.path), {
    code: "FILE_REFUSED",
    message: /"s.sock": it is a socket/,
  });
  server.close();
  await using other = await folderWith({});
  await run(["mkfifo", join(other.path, "p")]);
  await assert.rejects(walkProject(other.path), {
    code: "FILE_REFUSED",
    message: /"p": it is a named pipe/,
  });
});

test("a device is refused by name", async (t) => {
  await using folder = await folderWith({});
  const made = await run(["mknod", join(folder.path, "zero"), "c", "1", "5"], {
    allowFailure: true,
  });
  if (made.exitCode !== 0) return t.skip("only root may make devices");
  await assert.rejects(walkProject(folder.path), {
    code: "FILE_REFUSED",
    message: /"zero": it is a device/,
  });
});

test("a name that is not UTF-8 is refused", async () => {
  await using folder = await folderWith({});
  await writeFile(Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from([0x61, 0xff])]), "");
  await assert.rejects(walkProject(folder.path), { code: "FILE_REFUSED", message: /not UTF-8/ });
});

test("a folder that is not there is named", async () => {
  await assert.rejects(walkProject("/no/such/folder"), { code: "PROJECT_NOT_FOUND" });
});

test("only the executable bit of a mode counts", async () => {
  await using folder = await folderWith({ "run.sh": "", data: "" });
  await chmod(join(folder.path, "run.sh"), 0o700);
  await chmod(join(folder.path, "data"), 0o666);
  assert.deepEqual(
    (await walkProject(folder.path)).map(({ path, isExecutable }) => [path, isExecutable]),
    [
      ["data", false],
      ["run.sh", true],
    ],
  );
});

const secrets: readonly (readonly [string, string, string])[] = [
  [".env", "A=1", "an environment file"],
  ["deploy/id_rsa", "x", "an SSH private key"],
  ["key.txt", "-----BEGIN RSA PRIVATE KEY-----", "a private key"],
  ["a.py", `key = "AKIA${"ABCDEFGHIJKLMNOP"}"`, "an AWS access key"],
  ["a.py", `t = "ghp_${"a".repeat(36)}"`, "a GitHub token"],
  ["a.py", `t = "hf_${"a".repeat(34)}"`, "a Hugging Face token"],
  [".npmrc", `//registry.test/:_authToken=${"a".repeat(20)}`, "an npm token"],
  ["c.json", '{"auths": {"r.test": {"auth": "dXNlcjpwYXNz"}}}', "registry credentials"],
  ["a.py", 'url = "https://user:hunter22@db.test/x"', "a password in a URL"],
];
for (const [path, text, what] of secrets) {
  test(`a secret is found in ${path}: ${what}`, async () => {
    await using folder = await folderWith({ [path]: `# first line\n${text}\n` });
    const found = await findSecrets(await walkProject(folder.path), []);
    assert.deepEqual(
      found.map((finding) => [finding.path, finding.what]),
      [[path, what]],
    );
    const error = await refuseSecrets(await walkProject(folder.path), { allow: [] }).catch(
      (caught: unknown) => caught as Error,
    );
    assert.ok(
      error instanceof Error && !error.message.includes(text),
      "the secret itself is not shown",
    );
    assert.deepEqual(
      await findSecrets(await walkProject(folder.path), [`**/${path.split("/").at(-1)}`]),
      [],
    );
  });
}

test("weights are no secrets, whatever bytes happen to be in them", async () => {
  const token =
    "AKIAABCDEFGHIJKLMNOP ghp_abcdefghijklmnopqrstuvwxyz0123456789 -----BEGIN PRIVATE KEY-----";
  await using folder = await folderWith({
    "model.bin": `\0\0${token}`,
    "vocab.txt": `${"word ".repeat(300_000)}${token}`,
    "model.onnx": `\b\u0007${token}\0`,
  });
  assert.deepEqual(await findSecrets(await walkProject(folder.path), []), []);
});

test("examples, certificates and placeholders are no secrets", async () => {
  await using folder = await folderWith({
    ".env.example": "A=",
    "ca.pem": "-----BEGIN CERTIFICATE-----\nabc",
    "a.py": 'url = "https://user:${PASSWORD}@db.test/x"',
  });
  assert.deepEqual(await findSecrets(await walkProject(folder.path), []), []);
});
