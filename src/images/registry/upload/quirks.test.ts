import assert from "node:assert/strict";
import { test } from "node:test";
import { quirksOf } from "./quirks.ts";

test("registries that do not take parts get one PUT", () => {
  for (const host of [
    "ghcr.io",
    "gcr.io",
    "eu.gcr.io",
    "europe-docker.pkg.dev",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
    "GHCR.IO",
  ]) {
    assert.deepEqual([quirksOf(host).hasPatch, quirksOf(host).canResume], [false, false], host);
  }
});

test("of all others the spec is assumed, also of names that only look like those", () => {
  for (const host of [
    "docker.io",
    "quay.io",
    "registry.test:5000",
    "127.0.0.1:5000",
    "notghcr.io",
    "ghcr.io.evil.test",
    "pkg.dev.test",
    "amazonaws.com.evil.test",
  ]) {
    assert.deepEqual([quirksOf(host).hasPatch, quirksOf(host).canResume], [true, true], host);
  }
});
