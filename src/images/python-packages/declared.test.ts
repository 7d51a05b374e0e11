import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir } from "../../ground/process/index.ts";
import { readDeclaredPackages, type DeclaredPackages } from "./declared.ts";

async function declared(files: Readonly<Record<string, string>>): Promise<DeclaredPackages> {
  await using folder = await createTempDir("slipway-declared");
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
  return await readDeclaredPackages(folder.path);
}

const [ONE, TWO] = ["1".repeat(64), "2".repeat(64)];
const PROJECT = '[project]\nname = "iris"\ndependencies = ["click==8.1.8", "httpx[http2]"]\n';

test("dependencies of pyproject.toml are requirements", async () => {
  const text =
    '[project]\nname = "x"\ndependencies = ["numpy>=2", "six==1.17.0; python_version > \'3\'"]\n';
  assert.deepEqual(await declared({ "pyproject.toml": text }), {
    lines: ["numpy>=2", "six==1.17.0; python_version > '3'"],
    ...{ source: "pyproject.toml", unread: [], notes: [] },
  });
});

test("dependencies in Poetry's table become requirements, ranges and markers included", async () => {
  const text = `[tool.poetry.dependencies]
python = "^3.10"
a = "^1.2.3"
b = "^0.2.3"
c = "~1.4"
d = "1.17.0"
e = "*"
f = {version = ">=1,!=1.5", extras = ["x", "y"], markers = "sys_platform == 'linux'"}
g = {version = "2", python = "<3.11"}
h = {version = "2", optional = true}
i = [{version = "1", python = "<3.11"}, {version = "2", python = ">=3.11"}]
[tool.poetry.group.dev.dependencies]
pytest = "*"
`;
  assert.deepEqual((await declared({ "pyproject.toml": text })).lines, [
    "a>=1.2.3,<2",
    "b>=0.2.3,<0.3",
    "c>=1.4,<1.5",
    "d==1.17.0",
    "e",
    "f[x,y]>=1,!=1.5 ; (sys_platform == 'linux')",
    "g==2 ; python_version < '3.11'",
    "i==1 ; python_version < '3.11'",
    "i==2 ; python_version >= '3.11'",
  ]);
});

/** As uv 0.11 writes it, cut to what matters. */
const UV_LOCK = `version = 1
revision = 3
requires-python = ">=3.10"

[[package]]
name = "click"
version = "8.1.8"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "colorama", marker = "sys_platform == 'win32'" }]
sdist = { url = "https://files.test/click.tar.gz", hash = "sha256:${TWO}", size = 1 }
wheels = [{ url = "https://files.test/click-8.1.8-py3-none-any.whl", hash = "sha256:${ONE}", size = 1 }]

[[package]]
name = "colorama"
version = "0.4.6"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.test/c.whl", hash = "sha256:${ONE}" }]

[[package]]
name = "h2"
version = "4.4.1"
source = { registry = "https://mirror.test/simple/" }
wheels = [{ url = "https://files.test/h2.whl", hash = "sha256:${ONE}" }]

[[package]]
name = "httpx"
version = "0.28.1"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "numpy", version = "1.26.4", source = { registry = "https://pypi.org/simple" }, marker = "python_full_version < '3.11'" }, { name = "numpy", version = "2.4.6", source = { registry = "https://pypi.org/simple" }, marker = "python_full_version >= '3.11'" }]
[package.optional-dependencies]
http2 = [{ name = "h2" }]
never = [{ name = "pytest" }]

[[package]]
name = "iris"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "click" }, { name = "httpx", extra = ["http2"] }, { name = "tools" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]

[[package]]
name = "numpy"
version = "1.26.4"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version < '3.11'"]

[[package]]
name = "numpy"
version = "2.4.6"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version >= '3.11'"]

[[package]]
name = "pytest"
version = "9.0.0"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "tools"
version = "0.1.0"
source = { editable = "libs/tools" }
dependencies = [{ name = "colorama", marker = "sys_platform == 'darwin'" }]
`;

test("uv.lock gives what the project needs, with versions, markers and hashes, and nothing of its groups", async () => {
  const { lines, source, notes } = await declared({
    "pyproject.toml": PROJECT,
    "uv.lock": UV_LOCK,
  });
  assert.equal(source, "uv.lock");
  assert.deepEqual(lines, [
    `click==8.1.8 --hash=sha256:${ONE} --hash=sha256:${TWO}`,
    `colorama==0.4.6; (sys_platform == 'win32') or (sys_platform == 'darwin') --hash=sha256:${ONE}`,
    `h2==4.4.1 --hash=sha256:${ONE}`,
    "httpx==0.28.1",
    "numpy==1.26.4; python_full_version < '3.11'",
    "numpy==2.4.6; python_full_version >= '3.11'",
  ]);
  assert.match(notes.join("\n"), /tools is the folder "libs\/tools" and is not installed/);
  assert.match(notes.join("\n"), /https:\/\/mirror\.test\/simple\/: name it with --index-url/);
});

test("a lock that lacks what the project asks for is said to be older", async () => {
  const project = PROJECT.replace("click==8.1.8", "pandas");
  const { notes } = await declared({ "pyproject.toml": project, "uv.lock": UV_LOCK });
  assert.match(notes.join("\n"), /uv\.lock is older than pyproject\.toml: it has no pandas/);
});

test("pylock.toml gives what is installed without extras and other groups", async () => {
  const text = `lock-version = "1.0"
default-groups = ["serve"]
[[packages]]
name = "six"
version = "1.17.0"
marker = "sys_platform == 'linux'"
wheels = [{ url = "https://files.test/six.whl", hashes = { sha256 = "${ONE}" } }]
[[packages]]
name = "tomli"
version = "2.0.0"
marker = "'gpu' in extras"
[[packages]]
name = "gunicorn"
version = "23.0.0"
marker = "'serve' in dependency_groups"
[[packages]]
name = "own"
directory = { path = "." }
[[packages]]
name = "other"
vcs = { type = "git", url = "https://git.test/o.git", commit-id = "abc123" }
[[packages]]
name = "local"
archive = { path = "wheels/local-1-py3-none-any.whl", hashes = { sha256 = "${ONE}" } }
`;
  assert.deepEqual((await declared({ "pylock.toml": text })).lines, [
    "./wheels/local-1-py3-none-any.whl",
    "gunicorn==23.0.0",
    "other @ git+https://git.test/o.git@abc123",
    `six==1.17.0; sys_platform == 'linux' --hash=sha256:${ONE}`,
  ]);
});

test("poetry.lock gives its main group, in the forms of Poetry 2, 1.8 and 1.4", async () => {
  const two = `[[package]]
name = "click"
version = "8.1.8"
optional = false
groups = ["main", "dev"]
markers = "python_version >= \\"3.10\\""
files = [{file = "click-8.1.8-py3-none-any.whl", hash = "sha256:${ONE}"}]
[[package]]
name = "pytest"
version = "9.0.0"
optional = false
groups = ["dev"]
files = []
[[package]]
name = "torch"
version = "2.4.0"
optional = false
groups = ["main"]
markers = {main = "sys_platform == \\"linux\\"", dev = "python_version < \\"3\\""}
[package.source]
type = "legacy"
url = "https://download.test/whl/cpu"
reference = "cpu"
`;
  const later = await declared({ "poetry.lock": two });
  assert.deepEqual(later.lines, [
    `click==8.1.8; python_version >= "3.10" --hash=sha256:${ONE}`,
    'torch==2.4.0; sys_platform == "linux"',
  ]);
  assert.match(later.notes.join(), /download\.test\/whl\/cpu/);
  const eight = `[[package]]
name = "click"
version = "8.1.8"
optional = false
files = []
[package.dependencies]
colorama = {version = "*", markers = "platform_system == \\"Windows\\""}
pyyaml = {version = "*", optional = true}
[[package]]
name = "colorama"
version = "0.4.6"
optional = false
[[package]]
name = "pytest"
version = "9.0.0"
optional = false
[[package]]
name = "PyYAML"
version = "6.0"
optional = false
`;
  const project = '[tool.poetry.dependencies]\npython = "^3.10"\nClick = "^8"\n';
  assert.deepEqual((await declared({ "poetry.lock": eight, "pyproject.toml": project })).lines, [
    "click==8.1.8",
    "colorama==0.4.6",
  ]);
  const four = `[[package]]
name = "six"
version = "1.17.0"
category = "main"
optional = false
[[package]]
name = "pytest"
version = "9.0.0"
category = "dev"
optional = false
[metadata.files]
six = [{file = "six.whl", hash = "sha256:${ONE}"}]
`;
  assert.deepEqual((await declared({ "poetry.lock": four })).lines, [
    `six==1.17.0 --hash=sha256:${ONE}`,
  ]);
});

test("Pipfile.lock gives its default packages", async () => {
  const text = JSON.stringify({
    _meta: { sources: [{ url: "https://user:pass@mirror.test/simple" }] },
    default: {
      click: { version: "==8.1.8", hashes: [`sha256:${ONE}`], markers: "python_version >= '3.7'" },
      httpx: { version: "==0.28.1", extras: ["http2"] },
      own: { path: ".", editable: true },
    },
    develop: { pytest: { version: "==9" } },
  });
  const { lines, notes } = await declared({ "Pipfile.lock": text });
  assert.deepEqual(lines, [
    `click==8.1.8; python_version >= '3.7' --hash=sha256:${ONE}`,
    "httpx[http2]==0.28.1",
  ]);
  assert.match(notes.join("\n"), /https:\/\/mirror\.test\/simple/);
  assert.doesNotMatch(notes.join("\n"), /pass/);
});

test("files that nobody reads are named", async () => {
  const files = { "pyproject.toml": "[tool.x]\n", "environment.yml": "", Pipfile: "" };
  assert.deepEqual(await declared(files), {
    ...{ lines: [], unread: ["Pipfile", "environment.yml"], notes: [] },
  });
  assert.deepEqual(await declared({}), { lines: [], unread: [], notes: [] });
});

test("what cannot be understood is refused", async () => {
  const files: readonly (readonly [name: string, text: string])[] = [
    ["pyproject.toml", "[project"],
    ["pyproject.toml", '[project]\ndependencies = "numpy"\n'],
    ["pyproject.toml", "[project]\ndependencies = [1]\n"],
    ["pyproject.toml", '[project]\ndependencies = ["--index-url https://evil.test"]\n'],
    ["pyproject.toml", `# ${"x".repeat(16 * 2 ** 20)}`],
    ["pyproject.toml", '[tool.poetry.dependencies]\na = "^1 || ^2"\n'],
    ["pyproject.toml", '[tool.poetry.dependencies]\na = "nothing"\n'],
    ["uv.lock", ""],
    ["uv.lock", "package = 1"],
    ["uv.lock", UV_LOCK.replace('"8.1.8"', '"8.1.8 --index-url https://evil.test"')],
    ["uv.lock", UV_LOCK.replace("sys_platform == 'win32'", "\\n--pre")],
    ["poetry.lock", '[[package]]\nname = "-r x"\nversion = "1"\ngroups = ["main"]\n'],
    ["Pipfile.lock", "{"],
    ["Pipfile.lock", '{"default": {"a": {"version": "*"}}}'],
    ["pylock.toml", '[[packages]]\nname = "a"\n'],
  ];
  for (const [name, text] of files)
    await assert.rejects(declared({ [name]: text }), { code: "REQUIREMENTS_INVALID" }, text);
});
