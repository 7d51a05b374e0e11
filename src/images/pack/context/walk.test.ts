import assert from "node:assert/strict";
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
    const error = await refuseSecrets(await walkProject(folder.path), []).catch(
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
