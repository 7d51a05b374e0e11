import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAlternatives, addAlternatives } from "./alternatives.ts";
import type { OpenedPackage, TreeNode } from "./contracts.ts";
import { parseControl, parseRelations, readInstalled } from "./control.ts";
import { groupPackages } from "./layer-plan.ts";
import { compareLibraries, encodeLibraryCache } from "./library-cache.ts";
import { scriptNotes } from "./script-notes.ts";
import { createTree } from "./tree.ts";
import { isTrimmed } from "./trim.ts";

const OWN = { uid: 0, gid: 0 };

function packageOf(
  name: string,
  entries: Readonly<Record<string, string | null>> = {},
  more: { readonly fields?: Readonly<Record<string, string>>; readonly postinst?: string } = {},
): OpenedPackage {
  const nodes = Object.entries(entries).map(([path, content]) => ({
    path: path.replace(/\/$/, ""),
    node: nodeOf(name, path, content),
  }));
  return {
    name,
    version: "1",
    architecture: "amd64",
    fields: new Map(Object.entries(more.fields ?? {})),
    control: "",
    md5sums: "",
    scripts: new Map(more.postinst === undefined ? [] : [["postinst", more.postinst]]),
    entries: nodes,
  };
}

/** `dir/` is a folder, `-> x` a link, anything else a file with that text. */
function nodeOf(owner: string, path: string, content: string | null): TreeNode {
  if (path.endsWith("/"))
    return {
      ...OWN,
      owner,
      type: "directory",
      mode: content === null ? 0o755 : Number.parseInt(content, 8),
    };
  if (content?.startsWith("-> ") === true)
    return { ...OWN, owner, type: "symlink", target: content.slice(3) };
  return {
    ...OWN,
    owner,
    type: "file",
    mode: 0o644,
    content: { kind: "bytes", bytes: Buffer.from(content ?? "") },
  };
}

function textAt(tree: ReturnType<typeof createTree>, path: string): string | undefined {
  const node = tree.nodes.get(path);
  return node?.type === "file" && node.content.kind === "bytes"
    ? Buffer.from(node.content.bytes).toString()
    : undefined;
}

test("a control file's folded lines are joined, and its names are not case sensitive", () => {
  const fields = parseControl(
    "Package: a\nDepends: b (>= 1),\n c\nDescription: short\n long\n .\n more\n",
  );
  assert.equal(fields.get("depends"), "b (>= 1), c");
  assert.equal(fields.get("package"), "a");
});

test("relations lose versions, architectures and qualifiers", () => {
  assert.deepEqual(parseRelations("libc6 (>= 2.36), python3:any | python3.11, awk [amd64]"), [
    ["libc6"],
    ["python3", "python3.11"],
    ["awk"],
  ]);
  assert.deepEqual(parseRelations(undefined), []);
});

test("a status file gives what is installed, not what was removed", () => {
  const text =
    "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\nPackage: b\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n\nPackage: c\nVersion: 2\nArchitecture: amd64\nProvides: v\n";
  assert.deepEqual(readInstalled(text), [
    { name: "a", version: "1", architecture: "all" },
    { name: "c", version: "2", architecture: "amd64", provides: "v" },
  ]);
});

test("files below /bin and /lib go into /usr, and links stand where they were", () => {
  const tree = createTree();
  tree.addPackage(
    packageOf("a", {
      "bin/": null,
      "bin/tool": "x",
      "lib/": null,
      "lib/x86_64-linux-gnu/libz.so.1": "-> libz.so.1.2",
      "usr/bin/other": "y",
    }),
  );
  tree.addPackage(packageOf("newer", { bin: "-> usr/bin", "usr/bin/third": "z" }));
  tree.linkUsr("a");
  assert.equal(textAt(tree, "usr/bin/tool"), "x");
  assert.ok(tree.nodes.has("usr/lib/x86_64-linux-gnu/libz.so.1"));
  assert.deepEqual(tree.nodes.get("bin"), {
    ...OWN,
    owner: "a",
    type: "symlink",
    target: "usr/bin",
  });
  assert.equal(tree.find("bin/third")?.path, "usr/bin/third");
  assert.equal(tree.nodes.has("lib64"), false);
});

test("a folder keeps the attributes of the first package that has it", () => {
  const tree = createTree();
  tree.addPackage(packageOf("a", { "tmp/": "1777" }));
  tree.addPackage(packageOf("b", { "tmp/": "0755" }));
  assert.equal((tree.nodes.get("tmp") as { mode: number }).mode, 0o1777);
});

test("a link to a folder stands for it, whichever package comes first", () => {
  const tree = createTree();
  tree.addPackage(packageOf("a", { "usr/share/doc/a/": null, "usr/share/doc/b": "-> a" }));
  tree.addPackage(packageOf("b", { "usr/share/doc/b/": null, "usr/share/doc/b/copyright": "c" }));
  assert.equal(textAt(tree, "usr/share/doc/a/copyright"), "c");
  assert.equal(tree.find("usr/share/doc/b/copyright")?.path, "usr/share/doc/a/copyright");
});

test("a file of two packages is refused, unless one says that it replaces the other", () => {
  const tree = createTree();
  tree.addPackage(packageOf("a", { "etc/f": "a" }));
  assert.throws(() => tree.addPackage(packageOf("b", { "etc/f": "b" })), {
    code: "PACKAGE_UNAVAILABLE",
    message: /"a" and "b" both ship "\/etc\/f"/,
  });
  tree.addPackage(packageOf("c", { "etc/f": "c" }, { fields: { replaces: "a (<< 2)" } }));
  assert.equal(textAt(tree, "etc/f"), "c");
});

test("links that go round are refused rather than followed for ever", () => {
  const tree = createTree();
  tree.addPackage(packageOf("a", { x: "-> y", y: "-> x" }));
  assert.equal(tree.find("x"), undefined);
  assert.throws(() => tree.addPackage(packageOf("b", { "x/file": "1" })), {
    code: "ARCHIVE_INVALID",
  });
});

test("documentation goes, licences stay", () => {
  for (const path of [
    "usr/share/man/man1/x.1.gz",
    "usr/share/doc/a/changelog.gz",
    "usr/share/locale/de",
    "usr/share/doc/a/examples/copyright",
    "usr/share/man",
  ])
    assert.equal(isTrimmed(path), true, path);
  for (const path of [
    "usr/share/doc",
    "usr/share/doc/a",
    "usr/share/doc/a/copyright",
    "usr/share/locales",
    "usr/bin/man",
    "usr/share/zoneinfo/UTC",
  ])
    assert.equal(isTrimmed(path), false, path);
});

test("the best alternative that is there gets the link, and its followers with it", () => {
  const script =
    "set -e\nupdate-alternatives --install /usr/bin/awk awk \\\n  /usr/bin/mawk 5 \\\n  --slave /usr/share/x/awk.1 awk.1 /usr/share/x/mawk.1\n";
  const tree = createTree();
  const packages = [
    packageOf("mawk", { "usr/bin/mawk": "m", "usr/share/x/mawk.1": "1" }, { postinst: script }),
    packageOf(
      "gawk",
      { "usr/bin/gawk": "g" },
      { postinst: "update-alternatives --install /usr/bin/awk awk /usr/bin/gawk 10" },
    ),
    packageOf(
      "nawk",
      {},
      { postinst: "update-alternatives --install /usr/bin/awk awk /usr/bin/nawk 90" },
    ),
  ];
  for (const item of packages) tree.addPackage(item);
  addAlternatives(tree, packages);
  assert.equal(tree.find("usr/bin/awk")?.path, "usr/bin/gawk");
  addAlternatives(createTree(), packages);
  assert.deepEqual(parseAlternatives(script, "mawk")[0]?.followers, [
    { link: "/usr/share/x/awk.1", name: "awk.1", path: "/usr/share/x/mawk.1" },
  ]);
});

test("alternatives that a script computes are not guessed, but named", () => {
  const script = 'update-alternatives --install /usr/lib/$ARCH/libx.so libx "$path" 10';
  assert.deepEqual(parseAlternatives(script, "x"), []);
  assert.deepEqual(scriptNotes([packageOf("x", {}, { postinst: script })]), [
    'the package "x" computes alternatives in a script that is not run',
  ]);
});

test("scripts that only talk about commands, or do what we do, are not named", () => {
  assert.deepEqual(
    scriptNotes([
      packageOf("a", {}, { postinst: "# adduser is not needed\ntrue" }),
      packageOf("netbase", {}, { postinst: "adduser x" }),
    ]),
    [],
  );
  assert.deepEqual(scriptNotes([packageOf("svc", {}, { postinst: "adduser --system svc" })]), [
    'the package "svc" adds users in a script that is not run',
  ]);
});

test("groups take what their roots need, and the rest comes last", () => {
  const packages = [
    packageOf("extra", {}, { fields: { depends: "lib" } }),
    packageOf(
      "python3",
      {},
      { fields: { depends: "libp (= 1), lib | other", "pre-depends": "virtual" } },
    ),
    packageOf("libp"),
    packageOf("real", {}, { fields: { provides: "virtual (= 3)" } }),
    packageOf("lib"),
    packageOf("base-files", {}, { fields: { depends: "lib" } }),
  ];
  const groups = groupPackages(packages, [
    { name: "base", isRoot: (name) => name === "base-files" },
    { name: "none", isRoot: () => false },
    { name: "python", isRoot: (name) => name === "python3" },
  ]);
  assert.deepEqual(
    groups.map(({ name, packages: own }) => [name, own.map((item) => item.name)]),
    [
      ["base", ["base-files", "lib"]],
      ["python", ["libp", "python3", "real"]],
      ["packages", ["extra"]],
    ],
  );
});

test("libraries are ordered as the loader's binary search expects: numbers as numbers", () => {
  const sorted = ["libz.so.10", "libz.so.9", "libz.so", "liba.so.1", "libz1.so"].toSorted(
    compareLibraries,
  );
  assert.deepEqual(sorted, ["liba.so.1", "libz.so", "libz.so.9", "libz.so.10", "libz1.so"]);
});

test("the loader's cache holds each name and path, whatever order they come in", () => {
  const libraries = [
    { name: "libb.so.2", path: "/usr/lib/libb.so.2" },
    { name: "liba.so.1", path: "/usr/lib/liba.so.1" },
  ];
  const bytes = Buffer.from(encodeLibraryCache(libraries, "arm64"));
  assert.deepEqual(bytes, Buffer.from(encodeLibraryCache(libraries.toReversed(), "arm64")));
  assert.equal(bytes.toString("latin1", 0, 20), "glibc-ld.so.cache1.1");
  assert.equal(bytes.readUInt32LE(20), 2);
  const entry = (index: number): readonly string[] =>
    [4, 8].map(
      (field) =>
        bytes.toString("latin1", bytes.readUInt32LE(48 + 24 * index + field)).split("\0")[0] ?? "",
    );
  assert.deepEqual(
    [entry(0), entry(1)],
    [
      ["libb.so.2", "/usr/lib/libb.so.2"],
      ["liba.so.1", "/usr/lib/liba.so.1"],
    ],
  );
  assert.equal(bytes.readInt32LE(48), 0x0a03);
});
