// Types, lint, dead code, boundaries and unit tests: what must be green before a commit. Under a minute on two cores.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const { status } = spawnSync(process.execPath, ["scripts/run-tests.js", "unit"], {
  cwd: root,
  stdio: "inherit",
});
process.exit(status ?? 1);
