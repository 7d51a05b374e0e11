import assert from "node:assert/strict";
import { test } from "node:test";
import { containerRequest } from "./train-container.ts";
import type { TrainRunRequest } from "./train-run.ts";

const DOCKER = { image: "job-cpu:uaitrain", engine: "docker", uid: 1000 } as const;

function requestOf(
  request: TrainRunRequest,
  about: Partial<Parameters<typeof containerRequest>[1]> = {},
  output = "/home/me/output",
): ReturnType<typeof containerRequest> {
  const run = { request, data: "/home/me/data", output, words: ["/data/train.py"], tasks: [] };
  return containerRequest(run, { ...DOCKER, ...about });
}

test("what the script writes is the caller's, and the data are read only", () => {
  const { user, mounts, env } = requestOf({});
  assert.equal(user, "1000:0");
  assert.deepEqual(
    mounts?.map(({ target, readOnly = false }) => [target, readOnly]),
    [
      ["/data/data", true],
      ["/data/output", false],
    ],
  );
  assert.equal(env?.["HOME"], "/tmp");
});

test("root stays root, and podman has the caller as root already", () => {
  assert.equal(requestOf({}, { uid: 0 }).user, undefined);
  assert.equal(requestOf({}, { engine: "podman" }).user, undefined);
  assert.equal(requestOf({ user: "root" }).user, "root");
});

test("data are written to where the user says so, and where the results lie among them", () => {
  assert.equal(requestOf({ isDataWritable: true }).mounts?.[0]?.readOnly, false);
  assert.equal(requestOf({}, {}, "/home/me/data/output").mounts?.[0]?.readOnly, false);
  assert.equal(requestOf({}, {}, "/home/me/database").mounts?.[0]?.readOnly, true);
});

test("memory is bounded as the user says", () =>
  assert.equal(requestOf({ memory: "8g" }).memory, "8g"));
