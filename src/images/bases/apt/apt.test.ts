import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessError } from "../../../ground/errors/index.ts";
import { explainFetch } from "./explain.ts";
import { nearestNames } from "./nearest.ts";
import { checkPackageNames, parseUris, renderStatus } from "./solve.ts";
import { chooseSources, parseHostTargets, renderSources, type HostTarget } from "./sources.ts";

const HOST: readonly HostTarget[] = [
  { uri: "http://mirror.test/debian/", release: "bookworm", component: "main" },
  { uri: "http://mirror.test/debian/", release: "bookworm-updates", component: "main" },
  { uri: "http://mirror.test/debian-security/", release: "bookworm-security", component: "main" },
  { uri: "http://mirror.test/debian/", release: "bookworm", component: "non-free" },
  { uri: "https://other.test/apt/", release: "stable", component: "main" },
];

test("the host's own sources of the suite are used, Debian's main component only", () => {
  const { suite, sources } = chooseSources({ host: HOST });
  assert.equal(suite, "bookworm");
  assert.deepEqual(
    sources.map(({ uri, suite: own }) => `${uri} ${own}`),
    [
      "http://mirror.test/debian bookworm",
      "http://mirror.test/debian bookworm-updates",
      "http://mirror.test/debian-security bookworm-security",
    ],
  );
});

test("another suite comes from the host's mirror, with its updates and security suites", () => {
  const { sources } = chooseSources({ host: HOST, suite: "trixie" });
  assert.deepEqual(
    sources.map(({ uri, suite }) => `${uri} ${suite}`),
    [
      "http://mirror.test/debian trixie",
      "http://mirror.test/debian trixie-updates",
      "http://mirror.test/debian-security trixie-security",
    ],
  );
});

test("a host without Debian sources gets Debian's own mirror", () => {
  const { suite, sources } = chooseSources({
    host: [{ uri: "http://archive.ubuntu.test/ubuntu/", release: "noble", component: "main" }],
  });
  assert.equal(suite, "bookworm");
  assert.equal(sources[0]?.uri, "http://deb.debian.org/debian");
});

test("a rolling suite has no others beside it, a snapshot replaces every mirror", () => {
  assert.equal(chooseSources({ host: [], suite: "sid" }).sources.length, 1);
  assert.deepEqual(
    [
      ...new Set(
        chooseSources({ host: HOST, snapshot: "20260101T000000Z" }).sources.map(({ uri }) => uri),
      ),
    ],
    [
      "http://snapshot.debian.org/archive/debian/20260101T000000Z",
      "http://snapshot.debian.org/archive/debian-security/20260101T000000Z",
    ],
  );
});

for (const [what, request] of [
  ["a suite with a line end", { suite: "bookworm\nTrusted: yes" }],
  ["a mirror with a blank", { mirror: "http://a b/debian" }],
  ["a mirror of another scheme", { mirror: "ftp://a/debian" }],
  ["a snapshot that is no time stamp", { snapshot: "../x" }],
  ["a snapshot and a mirror", { snapshot: "20260101T000000Z", mirror: "http://a/debian" }],
] as const) {
  test(`${what} is refused before apt sees it`, () => {
    assert.throws(() => chooseSources({ host: [], ...request }), { code: "USAGE" });
  });
}

test("targets are read once each, and other lines are none", () => {
  assert.deepEqual(
    parseHostTargets(
      "Packages|http://a/debian/|bookworm|main\nPackages|http://a/debian/|bookworm|main\nDEP-11|x|y|z\n\n",
    ),
    [{ uri: "http://a/debian/", release: "bookworm", component: "main" }],
  );
});

test("the sources file names one architecture and one key ring", () => {
  assert.equal(
    renderSources([{ uri: "http://a/debian", suite: "bookworm", components: ["main"] }], {
      architecture: "arm64",
      keyring: "/k.gpg",
    }),
    "Types: deb\nURIs: http://a/debian\nSuites: bookworm\nComponents: main\nArchitectures: arm64\nSigned-By: /k.gpg\n",
  );
});

test("what apt prints becomes packages, sorted by name, with epochs read back", () => {
  const hash = "a".repeat(64);
  const text = `Reading package lists...\n'http://a/z/zlib1g_1.2.deb' zlib1g_1%3a1.2.13.dfsg-1_arm64.deb 82744 SHA256:${hash}\n'http://a/b/base.deb' base-files_12.4+deb12u15_all.deb 10 SHA256:${hash}\n`;
  assert.deepEqual(parseUris(text), [
    {
      name: "base-files",
      version: "12.4+deb12u15",
      architecture: "all",
      size: 10,
      sha256: hash,
      url: "http://a/b/base.deb",
    },
    {
      name: "zlib1g",
      version: "1:1.2.13.dfsg-1",
      architecture: "arm64",
      size: 82744,
      sha256: hash,
      url: "http://a/z/zlib1g_1.2.deb",
    },
  ]);
});

test("a package without a SHA-256 is not taken", () => {
  assert.throws(() => parseUris("'http://a/b.deb' b_1_all.deb 10 MD5Sum:0123\n"), {
    code: "MIRROR_UNTRUSTED",
  });
});

test("names are checked before they become arguments", () => {
  checkPackageNames(["python3", "libstdc++6", "g++", "python3=3.11.2-1+b1", "libc6=2:2.36~rc1-9"]);
  for (const name of ["-y", "python3-", "Python", "a", "a b", "a=b c", "a/b", "a*", "--", "a\n"])
    assert.throws(() => checkPackageNames([name]), { code: "USAGE" }, JSON.stringify(name));
});

test("a status file uses the index's own words where it knows the version", () => {
  const installed = [
    { name: "b", version: "2", architecture: "all" },
    { name: "a", version: "1", architecture: "amd64", provides: "virtual-a" },
  ];
  assert.equal(
    renderStatus(installed, {
      architecture: "amd64",
      known: new Map([["b=2", "Version: 2\nArchitecture: all\nDepends: a"]]),
    }),
    "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nMaintainer: none <none@localhost>\nProvides: virtual-a\nDescription: there already\n\nPackage: b\nStatus: install ok installed\nVersion: 2\nArchitecture: all\nDepends: a\n",
  );
});

test("near names are those that differ in few letters, nearest first", () => {
  const names = ["python3-numpy", "python3-bumps", "python3", "libgomp1", "zlib1g", ""];
  assert.deepEqual(nearestNames("python3-nump", names), ["python3-numpy", "python3-bumps"]);
  assert.deepEqual(nearestNames("libgomp2", names), ["libgomp1"]);
  assert.deepEqual(nearestNames("xxxxxxxx", names), []);
});

for (const [text, code] of [
  ["E: The repository 'http://a bookworm InRelease' is not signed.", "MIRROR_UNTRUSTED"],
  [
    "W: GPG error: http://a bookworm InRelease: NO_PUBKEY 0E98404D386FA1D9\nE: The repository is not signed.",
    "MIRROR_UNTRUSTED",
  ],
  ["E: Failed to fetch http://a/x.deb  Hash Sum mismatch", "MIRROR_UNTRUSTED"],
  [
    "E: The repository 'http://a nope Release' does not have a Release file.",
    "PACKAGE_UNAVAILABLE",
  ],
  ["W: Failed to fetch http://a  Could not connect to a:80", "MIRROR_UNREACHABLE"],
  ["E: Failed to fetch http://a  Write error - write (28: No space left on device)", "DISK_FULL"],
  ["E: Failed to fetch http://a  Temporary failure resolving 'a'", "MIRROR_UNREACHABLE"],
] as const) {
  test(`apt's "${text.slice(0, 40)}…" becomes ${code}`, () => {
    const failed = new ProcessError("PROCESS_FAILED", "apt", {
      command: ["apt-get"],
      exitCode: 100,
      stderrTail: text,
    });
    const explained = explainFetch(failed, "read", [
      { uri: "http://a", suite: "bookworm", components: ["main"] },
    ]) as { readonly code: string; readonly cause: unknown };
    assert.equal(explained.code, code);
    assert.equal(explained.cause, failed);
  });
}
