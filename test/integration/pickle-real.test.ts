import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { checkPickles } from "../../src/models/kinds/index.ts";
import { pythonEnv } from "../support/python-env.ts";

const SUPPORT = resolve(import.meta.dirname, "../support/pickles");
const WORKER = resolve(import.meta.dirname, "../../python");
const SLOW = {
  skip:
    process.env["SLIPWAY_REQUIRE_PEERS"] === "1" || process.env["SLIPWAY_SLOW"] === "1"
      ? false
      : "fits some thousand models; SLIPWAY_SLOW=1 runs it",
};

/** Releases that have wheels for one Python, with what was current beside them. */
const ENVIRONMENTS: readonly (readonly string[])[] = [
  ["scikit-learn==1.2.2", "numpy<2", "scipy<1.11", "pandas<2.1", "lightgbm==4.1.0"],
  ["scikit-learn==1.3.2", "numpy<2", "scipy<1.12"],
  ["scikit-learn==1.4.2", "numpy<2", "pandas<2.3", "xgboost-cpu==2.1.4"],
  ["scikit-learn==1.5.2", "numpy<2.2", "imbalanced-learn==0.12.4"],
  ["scikit-learn==1.7.2", "pandas", "xgboost-cpu==3.2.0", "lightgbm==4.6.0", "skops==0.13.0"],
];

for (const packages of ENVIRONMENTS)
  test(
    `every file that ${packages[0]} and its companions write is taken, by the scan and by the worker`,
    SLOW,
    async (t) => {
      const environment = await pythonEnv(t, { packages: [...packages, "joblib", "lz4"] });
      if (environment === undefined) return;
      const folder = await mkdtemp(join(tmpdir(), "slipway-real-"));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const make = ["-W", "ignore", join(SUPPORT, "make-real.py"), folder];
      await run([environment.python, ...make], { timeoutMs: 300_000, allowFailure: true });
      const names = (await readdir(folder)).filter((name) => !name.includes("lzma"));
      assert.ok(names.length >= 190, `${names.length} files`);
      const refused: string[] = [];
      for (const name of names) {
        const location = join(folder, name);
        const { size } = await stat(location);
        await checkPickles([{ path: name, location, size }]).catch((error: unknown) =>
          refused.push(`${name}: ${String(error)}`),
        );
      }
      assert.deepEqual(refused, []);
      const pickles = names
        .filter((name) => /\.(?:pkl|joblib)$/.test(name))
        .map((name) => join(folder, name));
      const load = [join(SUPPORT, "load-in-worker.py"), WORKER, "sklearn", join(folder, "none")];
      const { stdout } = await run([environment.python, ...load, ...pickles], {
        timeoutMs: 300_000,
      });
      const outcomes = JSON.parse(stdout.toString()) as Readonly<
        Record<string, { readonly error: readonly string[] | null }>
      >;
      const failed = Object.entries(outcomes).filter(([, { error }]) => error !== null);
      assert.deepEqual(failed, []);
    },
  );
