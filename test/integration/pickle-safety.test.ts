import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { checkPickles, type ModelFile } from "../../src/models/kinds/index.ts";
import { run } from "../../src/ground/process/index.ts";

const SUPPORT = resolve(import.meta.dirname, "../support/pickles");
const REAL = resolve(import.meta.dirname, "../fixtures/pickles/real");
const WORKER = resolve(import.meta.dirname, "../../python");

interface Hostile {
  readonly name: string;
  readonly file: string;
  readonly source: string;
  readonly fires: boolean;
  /** The pickle inside an archive. */
  readonly inner: string | null;
}

let folder = "";
let cases: readonly Hostile[] = [];
const marker = (): string => join(folder, "marker");

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-hostile-"));
  const made = await run(
    ["python3", "-W", "ignore", join(SUPPORT, "make-hostile.py"), join(folder, "files"), marker()],
    { timeoutMs: 60_000 },
  );
  cases = JSON.parse(made.stdout.toString()) as readonly Hostile[];
});

after(() => rm(folder, { recursive: true, force: true }));

function fileAt(path: string, location: string): ModelFile {
  return { path, location, size: statSync(location).size };
}

test("published ways past scanners are many, from many sources, and their payload is real", async () => {
  assert.ok(cases.length >= 190, `${cases.length} cases`);
  assert.ok(new Set(cases.map(({ source }) => source)).size >= 60);
  const firing = cases.filter(({ fires }) => fires);
  assert.ok(firing.length >= 50);
  const [real] = firing.filter(({ name }) => name === "call-posix.system");
  assert.ok(real !== undefined);
  const load = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))";
  await run(["python3", "-c", load, join(folder, "files", real.file)], { timeoutMs: 60_000 });
  assert.ok(existsSync(marker()), "plain Python runs it");
  await rm(marker());
});

test("every one of them is refused before anything is loaded", async () => {
  const passed: string[] = [];
  for (const { file } of cases) {
    const found = fileAt(file, join(folder, "files", file));
    await checkPickles([found]).then(
      () => passed.push(file),
      (error: unknown) => assert.equal((error as { code?: string }).code, "PICKLE_REFUSED", file),
    );
  }
  assert.deepEqual(passed, []);
});

/** These begin with a harmless pickle, which is all that one call of the loader reads. */
const HARMLESS_FIRST = new Set(["opcode-second", "torch-legacy"]);

test("the worker alone refuses each of them, and no payload runs", async () => {
  const paths = cases.map(({ file, inner }) => join(folder, "files", inner ?? file));
  const loader = [join(SUPPORT, "load-in-worker.py"), WORKER, "sklearn", marker()];
  const loaded = await run(["python3", ...loader, ...paths], { timeoutMs: 120_000 });
  const outcomes = JSON.parse(loaded.stdout.toString()) as Readonly<
    Record<string, { readonly error: readonly string[] | null; readonly touched: boolean }>
  >;
  const wrong = cases.filter(({ name, file, inner }) => {
    const outcome = outcomes[join(folder, "files", inner ?? file)];
    const isRefused = outcome?.error != null || HARMLESS_FIRST.has(name);
    return outcome === undefined || outcome.touched || !isRefused;
  });
  assert.deepEqual(wrong, []);
  assert.equal(existsSync(marker()), false);
});

test("files of real libraries are taken as they are", async () => {
  const names = readdirSync(REAL);
  assert.ok(names.length >= 40);
  await checkPickles(names.map((name) => fileAt(name, join(REAL, name))));
});
