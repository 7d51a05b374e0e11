import assert from "node:assert/strict";
import { test } from "node:test";
import type { PythonTarget } from "./contracts.ts";
import { pipPlatformsOf, uvPlatformOf } from "./platform-tag.ts";

const target = (architecture: string, kind: "glibc" | "musl", version: string): PythonTarget => ({
  pythonVersion: "3.11",
  platform: { os: "linux", architecture },
  libc: { kind, version },
});

for (const [architecture, kind, version, expected] of [
  ["amd64", "glibc", "2.36", "x86_64-manylinux_2_36"],
  ["arm64", "glibc", "2.36", "aarch64-manylinux_2_36"],
  ["amd64", "glibc", "2.30", "x86_64-manylinux_2_28"],
  ["amd64", "glibc", "2.44", "x86_64-manylinux_2_40"],
  ["amd64", "glibc", "2.17", "x86_64-manylinux_2_17"],
  ["arm64", "musl", "1.2", "aarch64-unknown-linux-musl"],
] as const) {
  test(`${architecture} with ${kind} ${version} is "${expected}" to uv`, () =>
    assert.equal(uvPlatformOf(target(architecture, kind, version)), expected));
}

test("pip is told every tag that fits, newest first", () => {
  const tags = pipPlatformsOf(target("amd64", "glibc", "2.18"));
  assert.deepEqual(tags, [
    "manylinux_2_18_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
    "manylinux2010_x86_64",
    "manylinux1_x86_64",
    "linux_x86_64",
  ]);
});

test("a platform or a C library that no wheel is made for is refused", () => {
  assert.throws(() => uvPlatformOf(target("s390x", "glibc", "2.36")), { code: "BASE_UNSUITABLE" });
  assert.throws(() => uvPlatformOf(target("amd64", "glibc", "2.12")), { code: "BASE_UNSUITABLE" });
  assert.throws(() => uvPlatformOf(target("amd64", "glibc", "new")), { code: "BASE_UNSUITABLE" });
});
