import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { interleave, publish } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { timedRun } from "./lib/timed-run.ts";

const root = resolve(import.meta.dirname, "..");
const bin = join(root, "bin/slipway.js");

const help = await interleave(
  [
    {
      name: "slipway --help",
      run: async () => ({ ms: (await timedRun([process.execPath, bin, "--help"])).ms }),
    },
    {
      name: "node -e 0 (the floor)",
      run: async () => ({ ms: (await timedRun([process.execPath, "-e", "0"])).ms }),
    },
  ],
  15,
);
const size = installedMib();
publish("start-up", describeMachine({ npm: ["npm", "--version"] }), {
  "cold process": help,
  "installed without ONNX Runtime": [
    {
      name: "MiB below node_modules",
      ratio: 1,
      figures: { mib: { median: size, min: size, max: size, spread: 0, runs: 1 } },
    },
  ],
});

/** What `npm install slipway --omit=optional` brings, from the packed tarball. */
function installedMib(): number {
  const place = mkdtempSync(join(tmpdir(), "slipway-size-"));
  try {
    run("npm", ["pack", "--silent", "--pack-destination", place, root]);
    run("npm", ["init", "-y"], place);
    run(
      "npm",
      [
        "install",
        "--silent",
        "--omit=optional",
        "--ignore-scripts",
        join(
          place,
          spawnSync("ls", [place], { encoding: "utf8" })
            .stdout.split("\n")
            .find((name) => name.endsWith(".tgz")) ?? "",
        ),
      ],
      place,
    );
    const { stdout } = spawnSync("du", ["-sk", join(place, "node_modules")], { encoding: "utf8" });
    return Number(stdout.split("\t")[0]) / 1024;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], cwd?: string): void {
  const result = spawnSync(program, [...args], { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (result.status !== 0)
    throw new Error(`${program} ${args.join(" ")} ended with ${result.status}`);
}
