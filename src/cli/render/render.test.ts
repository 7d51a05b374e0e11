import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessError, RegistryError, ToolError } from "../../ground/errors/index.ts";
import { createReporter, type ReporterOptions } from "./create-reporter.ts";
import { errorData, errorLines } from "./error.ts";
import { formatAge, formatBytes, formatDuration, formatTable, shortDigest } from "./format.ts";
import type { BlobProgress } from "./reporter.ts";

const sizes: readonly (readonly [number, string])[] = [
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [1536, "1.5 KiB"],
  [200 * 1024, "200 KiB"],
  [3 * 2 ** 30, "3.0 GiB"],
];
for (const [bytes, text] of sizes)
  test(`${bytes} bytes read as ${text}`, () => assert.equal(formatBytes(bytes), text));

test("durations read as people say them", () => {
  assert.deepEqual([420, 12_345, 80_000].map(formatDuration), ["0.42 s", "12.3 s", "1 min 20 s"]);
});

test("a table pads its columns and aligns numbers to the right", () => {
  assert.deepEqual(
    formatTable(
      [
        ["a", "1"],
        ["bbb", "22"],
      ],
      [1],
    ),
    ["a     1", "bbb  22"],
  );
});

test("a short digest is 12 hex digits", () =>
  assert.equal(shortDigest("sha256:0123456789abcdef"), "0123456789ab"));

const blob = (state: BlobProgress["state"], bytes: number): BlobProgress => ({
  kind: "blob",
  id: "x",
  label: "model files",
  state,
  bytes,
  size: 2048,
});

function capture(options: Partial<ReporterOptions>): {
  out: string[];
  err: string[];
  options: ReporterOptions;
} {
  const out: string[] = [];
  const err: string[] = [];
  let clock = 0;
  const streams = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
  };
  return {
    out,
    err,
    options: { streams, isJson: false, isQuiet: false, now: () => (clock += 100), ...options },
  };
}

test("in a log each blob is one line", () => {
  const seen = capture({});
  const reporter = createReporter(seen.options);
  reporter.step("packing");
  reporter.blob(blob("start", 0));
  reporter.blob(blob("progress", 1024));
  reporter.blob(blob("done", 2048));
  reporter.blob(blob("mounted", 0));
  reporter.line("result");
  assert.deepEqual(seen.out, ["result\n"]);
  assert.equal(seen.err.length, 3);
  assert.match(seen.err[1] ?? "", /model files: 2\.0 KiB/);
  assert.match(seen.err[2] ?? "", /mounted/);
});

test("in a log a long upload says where it is, and at its end how long all of it took", () => {
  let clock = 0;
  const seen = capture({ now: () => clock });
  const reporter = createReporter(seen.options);
  reporter.blob(blob("start", 0));
  clock = 15_000;
  reporter.blob(blob("progress", 1024));
  clock = 16_000;
  reporter.blob(blob("progress", 1500));
  clock = 20_000;
  reporter.blob(blob("done", 2048));
  assert.deepEqual(seen.err, [
    "  model files: 50 % of 2.0 KiB\n",
    "  model files: 2.0 KiB in 20.0 s (102 B/s)\n",
  ]);
});

test("in JSON mode standard output carries one object a line and standard error nothing", () => {
  const seen = capture({ isJson: true });
  const reporter = createReporter(seen.options);
  reporter.step("packing");
  reporter.blob(blob("done", 2048));
  reporter.line("not this");
  reporter.result({ digest: "sha256:00" });
  assert.deepEqual(seen.err, []);
  assert.deepEqual(
    seen.out.map((line) => (JSON.parse(line) as { event: string }).event),
    ["step", "done", "result"],
  );
});

test("on a terminal no line is wider than it, and bars go away at the end", () => {
  const seen = capture({ columns: 40 });
  const reporter = createReporter(seen.options);
  reporter.blob(blob("start", 0));
  reporter.blob(blob("progress", 1024));
  const bar = seen.err.at(-1) ?? "";
  assert.match(bar, /model files/);
  assert.ok(bar.trimEnd().length < 40, bar);
  reporter.blob(blob("done", 2048));
  reporter.close();
  assert.ok(!(seen.err.at(-1) ?? "").includes("░"));
});

test("a terminal that does not know its width gets whole lines", () => {
  const seen = capture({ columns: 0 });
  const reporter = createReporter(seen.options);
  reporter.blob(blob("start", 0));
  reporter.blob(blob("progress", 1024));
  assert.match(seen.err.at(-1) ?? "", /50 % 1\.0 KiB of 2\.0 KiB, .*\/s, .* left\n$/);
});

test("quiet keeps results and warnings only", () => {
  const seen = capture({ isQuiet: true });
  const reporter = createReporter(seen.options);
  reporter.step("packing");
  reporter.blob(blob("done", 1));
  reporter.warn("mind");
  reporter.line("result");
  assert.deepEqual([seen.out, seen.err], [["result\n"], ["warning: mind\n"]]);
});

test("an error shows code, hint and the request, and no control characters", () => {
  const error = new RegistryError("REGISTRY_UNAUTHORIZED", "push: re\u001bfused", {
    method: "POST",
    url: "https://r.test/v2/",
    status: 401,
    hint: "log in",
    diagnostics: [{ code: "UNAUTHORIZED", message: "x" }],
  });
  assert.deepEqual(errorLines(error), [
    "error REGISTRY_UNAUTHORIZED: push: re fused",
    "  hint: log in",
    "  cause: POST https://r.test/v2/ 401 UNAUTHORIZED",
  ]);
  assert.equal(errorData(error)["code"], "REGISTRY_UNAUTHORIZED");
});

test("a failed program's last lines are the cause", () => {
  const error = new ProcessError("PROCESS_FAILED", "run: exit code 1", {
    command: ["x"],
    exitCode: 1,
    stderrTail: "one\ntwo\n",
  });
  assert.deepEqual(errorLines(error).at(-1), "  cause: one\n    two");
});

test("our own bug asks to be reported", () => {
  const lines = errorLines(new TypeError("x is undefined"));
  assert.match(lines[0] ?? "", /^error INTERNAL: TypeError/);
  assert.match(lines[1] ?? "", /report/);
});

test("a cause that adds nothing is not repeated", () => {
  assert.equal(
    errorLines(new ToolError("USAGE", "bad: inner", { cause: new Error("inner") })).length,
    1,
  );
});

test("ages are told in the largest unit that fits", () => {
  const minute = 60_000;
  assert.deepEqual(
    [-5, 0, minute - 1, minute, 90 * minute, 23 * 60 * minute, 49 * 60 * minute].map(formatAge),
    ["now", "now", "now", "1 min", "1 h", "23 h", "2 d"],
  );
});
