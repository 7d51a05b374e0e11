// Runs every test, tier by tier, and closes with the one line that counts them. Slow files wait for SLIPWAY_SLOW=1, or for their name.
import { globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Readable } from "node:stream";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { createCoverage } from "./coverage.js";

const root = resolve(import.meta.dirname, "..");
process.chdir(root);
// Each file is a process of its own, and starts others: what one has compiled the next need not.
process.env.NODE_COMPILE_CACHE ??= resolve(root, "node_modules/.cache/compiled");

/**
 * Tiers in order. Each file is a process of its own, and two run side by side where the tests do not want the machine for themselves.
 * Unit tests start nothing and are quick, so many files share a process: starting one each takes longer than most of them.
 */
const tiers = [
  {
    name: "unit",
    patterns: ["test/*.test.ts", "src/**/*.test.ts", "ui/src/**/*.test.ts"],
    concurrency: 2,
    processes: 4,
  },
  { name: "conformance", patterns: ["test/conformance/**/*.test.ts"], concurrency: 2 },
  { name: "integration", patterns: ["test/integration/**/*.test.ts"], concurrency: 2 },
  { name: "e2e", patterns: ["test/e2e/**/*.test.ts"], concurrency: 1 },
  { name: "cluster", patterns: ["test/cluster/**/*.test.ts"], concurrency: 1 },
];
/** Files that take from half a minute to three, where a quicker one goes the same way from end to end. */
const SLOW = new Set(
  [
    "conformance/{graph-recorded,seldon-client,seldon-grpc,seldon-wrapper}",
    "integration/{base-debian,compressor,export-graph,interop,pack-failures,pack-optimize,pack-sklearn}",
    "integration/{pickle-real,serve-large,uai-mnist,worker-failures}",
    "integration/packdocker-{failures,golden,options,secrets,try,vendor}",
    "e2e/{demo,model-server-image,packdocker,seldon-image,train,train-ranks}",
  ].flatMap((pattern) => globSync(`test/${pattern}.test.ts`)),
);
/** Files that measure time or memory, or fill a disk: nothing runs beside them. */
const ALONE = new Set(
  [
    "integration/{bench,compress,copy-memory,disk-full,serve-batch,serve-large,serve-observe}",
    "integration/{push-first,worker-failures,worker-shared-memory}",
  ].flatMap((pattern) => globSync(`test/${pattern}.test.ts`)),
);
/** Folder of the files that bring several test files into one process. */
const SHARED = resolve(root, "node_modules/.cache/slipway-tests", String(process.pid));
const runsSlow = process.env.SLIPWAY_SLOW === "1";
const wanted = process.argv.slice(2);
const tierNames = tiers.map(({ name }) => name);
const isNamed = (file) => wanted.some((word) => !tierNames.includes(word) && file.includes(word));
const count = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const durations = new Map();
const coverage = process.env.SLIPWAY_COVERAGE === "1" ? createCoverage(root) : undefined;

for (const tier of tiers) {
  const files = tier.patterns
    .flatMap((pattern) => globSync(pattern))
    .filter((file) => wanted.length === 0 || wanted.includes(tier.name) || isNamed(file))
    .filter((file) => runsSlow || !SLOW.has(file) || isNamed(file))
    .sort();
  if (files.length === 0) continue;
  process.stdout.write(`\n== ${tier.name}: ${files.length} files\n`);
  const alone = files.filter((file) => ALONE.has(file));
  await runFiles(
    files.filter((file) => !ALONE.has(file)),
    tier,
  );
  if (alone.length > 0) await runFiles(alone, { ...tier, concurrency: 1 });
}
rmSync(SHARED, { recursive: true, force: true });

printSlowest();
if (!runsSlow && wanted.length === 0)
  process.stdout.write(`\n${SLOW.size} slow files were left out; SLIPWAY_SLOW=1 runs them too\n`);
const isCovered = coverage?.report({ isWhole: wanted.length === 0 }) ?? true;
for (const failure of failures) process.stdout.write(`\nfailed: ${failure}`);
process.stdout.write(
  `\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`,
);
process.exit(count.failed > 0 || count.passed === 0 || !isCovered ? 1 : 0);

/** Runs from end to end reach few lines that the other tiers do not, and are left as quick as they are. */
async function runFiles(files, { name, concurrency, processes }) {
  const stream = run({
    files: (processes === undefined || wanted.some((word) => word !== name)
      ? files
      : shareProcesses(files, processes)
    ).map((file) => resolve(root, file)),
    concurrency,
    timeout: 600_000,
    ...(name === "e2e" ? {} : coverage?.options),
  });
  stream.on("test:pass", (event) => {
    if (event.details?.type === "suite") return;
    noteDuration(event);
    if (event.skip !== undefined && event.skip !== false) count.skipped += 1;
    else count.passed += 1;
  });
  stream.on("test:fail", (event) => {
    if (event.details?.type === "suite") return;
    noteDuration(event);
    count.failed += 1;
    failures.push(`${event.file?.slice(root.length + 1) ?? ""}: ${event.name}`);
  });
  stream.on("test:coverage", (event) => coverage?.add(event.summary));
  const printed = Readable.from(withoutCoverage(stream)).compose(new spec());
  for await (const chunk of printed) process.stdout.write(chunk);
}

/** Files that start programs keep a process of their own and begin first; the others are dealt out in turn. */
function shareProcesses(files, processes) {
  const isOwn = (file) => file.startsWith("test/");
  const shared = files.filter((file) => !isOwn(file));
  mkdirSync(SHARED, { recursive: true });
  const bundles = Array.from({ length: processes }, (_, at) => {
    const path = resolve(SHARED, `unit-${at}.js`);
    const own = shared.filter((_file, index) => index % processes === at);
    const lines = own.map(
      (file) => `import ${JSON.stringify(pathToFileURL(resolve(root, file)))};\n`,
    );
    writeFileSync(path, lines.join(""));
    return path;
  });
  return [...files.filter(isOwn), ...bundles];
}

/** The reporter would print every file's coverage after every tier; our own table comes once, at the end. */
async function* withoutCoverage(stream) {
  for await (const event of stream) if (event.type !== "test:coverage") yield event;
}

function noteDuration({ file, nesting, details }) {
  if (nesting !== 0 || file === undefined) return;
  durations.set(file, (durations.get(file) ?? 0) + (details?.duration_ms ?? 0));
}

function printSlowest() {
  const slowest = [...durations].sort((a, b) => b[1] - a[1]).slice(0, 15);
  process.stdout.write("\nslowest files:\n");
  for (const [file, ms] of slowest)
    process.stdout.write(
      `  ${(ms / 1000).toFixed(1).padStart(7)} s  ${file.slice(root.length + 1)}\n`,
    );
}
