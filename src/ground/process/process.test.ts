import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ProcessError, RegistryError, ToolError } from "../errors/index.ts";
import {
  createLimit,
  createTempDir,
  explainWriteError,
  mapLimited,
  retry,
  run,
  writeFileAtomic,
} from "./index.ts";

test("a limit runs no more tasks at once than its count", async () => {
  const limit = createLimit(2);
  let running = 0;
  let most = 0;
  const task = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  };
  await Promise.all(Array.from({ length: 7 }, () => limit(task)));
  assert.equal(most, 2);
});

test("a limit frees its place when a task fails", async () => {
  const limit = createLimit(1);
  await assert.rejects(
    limit(() => Promise.reject(new Error("first"))),
    /first/,
  );
  assert.equal(await limit(() => Promise.resolve(2)), 2);
});

test("mapping with a limit keeps the order and stops starting after a failure", async () => {
  assert.deepEqual(await mapLimited([3, 1, 2], 2, async (item) => item * 2), [6, 2, 4]);
  const started: number[] = [];
  const failing = mapLimited([1, 2, 3, 4], 1, async (item) => {
    started.push(item);
    if (item === 2) throw new Error("two");
  });
  await assert.rejects(failing, /two/);
  assert.deepEqual(started, [1, 2]);
});

const refusal = (retryAfterMs?: number): RegistryError =>
  new RegistryError("REGISTRY_THROTTLED", "x", {
    method: "GET",
    url: "https://r.test/",
    status: 429,
    retryAfterMs,
  });

test("a retry waits as long as the registry asks, under its cap", async () => {
  const pauses: number[] = [];
  const answer = await retry(
    (attempt) =>
      attempt < 3
        ? Promise.reject(refusal(attempt === 1 ? 1500 : 90_000))
        : Promise.resolve("done"),
    {
      sleep: async (ms) => void pauses.push(ms),
    },
  );
  assert.equal(answer, "done");
  assert.deepEqual(pauses, [1500, 20_000]);
});

test("a retry backs off with jitter between half and all of the ceiling", async () => {
  const pauses: number[] = [];
  const call = retry(() => Promise.reject(refusal()), {
    attempts: 4,
    random: () => 0,
    sleep: async (ms) => void pauses.push(ms),
  });
  await assert.rejects(call, { code: "REGISTRY_THROTTLED" });
  assert.deepEqual(pauses, [100, 200, 400]);
});

test("an error that is not retryable ends at once", async () => {
  let calls = 0;
  await assert.rejects(
    retry(() => (calls++, Promise.reject(new ToolError("REGISTRY_DENIED", "x")))),
    { code: "REGISTRY_DENIED" },
  );
  assert.equal(calls, 1);
});

test("an aborted retry rejects with the signal's reason", async () => {
  const abort = new AbortController();
  const reason = new ToolError("INTERRUPTED", "stop");
  const call = retry(() => (abort.abort(reason), Promise.reject(refusal())), {
    signal: abort.signal,
  });
  await assert.rejects(call, (error) => error === reason || (error as Error).cause === reason);
});

test("an atomic write leaves the new content, or nothing after a failure", async () => {
  await using folder = await createTempDir("slipway-test");
  const path = join(folder.path, "deep/file");
  await writeFileAtomic(path, "one");
  assert.equal(await readFile(path, "utf8"), "one");
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from("tw");
    throw new Error("cut");
  };
  await assert.rejects(writeFileAtomic(path, broken()), /cut/);
  assert.equal(await readFile(path, "utf8"), "one");
  assert.deepEqual(await readdir(join(folder.path, "deep")), ["file"]);
});

test("a full or read-only disk has its own code", () => {
  assert.equal(
    (explainWriteError(Object.assign(new Error("x"), { code: "ENOSPC" }), "/a") as ToolError).code,
    "DISK_FULL",
  );
  assert.equal(
    (explainWriteError(Object.assign(new Error("x"), { code: "EROFS" }), "/a") as ToolError).code,
    "STORE_UNWRITABLE",
  );
  const other = new Error("other");
  assert.equal(explainWriteError(other, "/a"), other);
});

test("a temporary folder goes with its owner", async () => {
  let path: string;
  {
    await using folder = await createTempDir("slipway-test");
    path = folder.path;
    assert.ok(existsSync(path));
  }
  assert.ok(!existsSync(path));
});

test("a program's output comes back, and its input goes in", async () => {
  const result = await run(["cat"], { stdin: "hello" });
  assert.equal(result.stdout.toString(), "hello");
});

test("a program that is missing is named", async () => {
  await assert.rejects(run(["slipway-no-such-program"]), {
    code: "TOOL_MISSING",
    message: /"slipway-no-such-program"/,
  });
});

test("a failing program's last line is in the message, and secrets are in nothing", async () => {
  const error = await run(["sh", "-c", 'echo "bad token $0" >&2; exit 3', "s3cret"], {
    secrets: ["s3cret"],
  }).catch((caught: unknown) => caught);
  assert.ok(error instanceof ProcessError);
  assert.equal(error.exitCode, 3);
  assert.match(error.message, /exit code 3: bad token \*\*\*/);
  assert.ok(!`${error.message}${error.stderrTail}`.includes("s3cret"));
  assert.equal(error.command.at(-1), "***");
});

test("a program that hangs is ended with all its children", async () => {
  await assert.rejects(run(["sh", "-c", "sleep 60 & sleep 60"], { timeoutMs: 50 }), {
    code: "TIMEOUT",
  });
});

test("a program that floods its output is ended", async () => {
  await assert.rejects(run(["sh", "-c", "yes"], { maxOutputBytes: 100_000 }), /too much output/);
});

test("an abort ends the program and rejects with the reason", async () => {
  const reason = new ToolError("INTERRUPTED", "stop");
  const abort = new AbortController();
  const running = run(["sleep", "60"], { signal: abort.signal, onStderr: () => undefined });
  abort.abort(reason);
  await assert.rejects(running, (error) => error === reason);
});
