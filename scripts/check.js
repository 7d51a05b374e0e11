// Types, lint, boundaries, dead code and unit tests: what must be green before a commit. Under a minute on two cores.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const bin = (name) => resolve(root, "node_modules/.bin", name);
const steps = [
  ["types", process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit"]],
  ["lint", bin("oxlint"), ["--type-aware", "src", "test", "bench", "scripts"]],
  ["dead code", bin("knip"), []],
  ["unit tests", process.execPath, ["scripts/run-tests.js", "unit"]],
];
for (const [name, program, args] of steps) {
  const started = performance.now();
  const result = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  if (result.status !== 0) {
    process.stderr.write(`check: ${name} failed\n`);
    process.exit(1);
  }
  process.stderr.write(`check: ${name} ok, ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
