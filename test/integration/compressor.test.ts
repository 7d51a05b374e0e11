import { join, resolve } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { findPeer } from "../support/peers.ts";
import { pythonEnv } from "../support/python-env.ts";

const BUILD = resolve(import.meta.dirname, "../../src/images/compress/wasm/build.sh");
/** Programs of the build beside the compiler, which is a Python package. */
const PROGRAMS = ["bash", "cargo", "patch", "sha256sum"];

test("the committed compressor is what its sources give", async (t) => {
  const missing = PROGRAMS.filter((program) => findPeer(program) === undefined);
  if (missing.length > 0) {
    t.skip(`no ${missing.join(", ")}: only who changes the compressor needs them`);
    return;
  }
  const { stdout } = await run(["sed", "-n", "s/^zig=//p", BUILD]);
  const environment = await pythonEnv(t, { packages: [`ziglang==${stdout.toString().trim()}`] });
  if (environment === undefined) return;
  await run(["bash", BUILD, "--check"], {
    env: { ...process.env, ZIG_PYTHON: join(environment.bin, "python") },
    timeoutMs: 400_000,
  });
});
