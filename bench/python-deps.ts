import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { createGzip, createZstdCompress, constants } from "node:zlib";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createDeflatePool, gzipPinned } from "../src/images/compress/index.ts";
import { keptUv } from "../test/support/python-env.ts";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { createPlace, type Place } from "./lib/place.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, quick: { type: "boolean", default: false } },
});
const rounds = values.quick ? 1 : Number(values.rounds);
const wanted = values.quick ? ["six", "packaging"] : ["numpy", "scipy", "scikit-learn", "pandas"];
const uv = await keptUv();
const uvCache =
  process.env["UV_CACHE_DIR"] ??
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "uv");
const env = { UV_CACHE_DIR: uvCache, PATH: `${dirname(uv)}:${process.env["PATH"] ?? ""}` };

using seed = createPlace(env);
await seed.slipway("base", "debian", "--include", "python3", "--name", "pybase");
makeProject(seed, "bare", []);
makeProject(seed, "first", wanted);
await pack(seed, "bare"); // the tool's own layers are made once a machine
cpSync(join(seed.folder, "data"), join(seed.folder, "kept", "data"), { recursive: true });
cpSync(join(seed.folder, "cache"), join(seed.folder, "kept", "cache"), { recursive: true });
await pack(seed, "first"); // uv's cache is warm from here on

const first = await interleave([withPackages(), without()], rounds);
makeProject(seed, "second", wanted);
const again = await interleave(
  [
    { name: "the same project again", run: () => pack(seed, "first") },
    {
      name: "another project, same packages",
      run: (round) => fresh(seed, `other-${round}`, wanted),
    },
    {
      name: "another requirements text, same packages",
      run: (round) => fresh(seed, `text-${round}`, [`# ${round}`, ...[...wanted].reverse()]),
    },
    { name: "no packages at all", run: () => pack(seed, "bare") },
  ],
  rounds,
);
publish("python-deps", describeMachine({ uv: [uv, "--version"] }), {
  "first pack, uv's cache warm": first,
  "packages known": again,
  compressors: await compressors(),
});

/** Packs with no layer of any package made yet. */
function withPackages(): Contestant {
  return {
    name: `first pack with ${wanted.join(", ")}`,
    async run() {
      for (const name of ["data", "cache"]) {
        rmSync(join(seed.folder, name), { recursive: true, force: true });
        cpSync(join(seed.folder, "kept", name), join(seed.folder, name), { recursive: true });
      }
      return pack(seed, "first");
    },
  };
}

function without(): Contestant {
  return { name: "the same without packages", run: () => pack(seed, "bare") };
}

async function fresh(
  place: Place,
  name: string,
  lines: readonly string[],
): Promise<{ readonly ms: number; readonly peakMib: number }> {
  makeProject(place, name, lines);
  return pack(place, name);
}

async function pack(
  place: Place,
  name: string,
): Promise<{ readonly ms: number; readonly peakMib: number }> {
  const { ms, peakMib } = await place.slipway(
    "pack",
    join(place.folder, name),
    "--base",
    "store:pybase",
    "-t",
    `store:${name}`,
  );
  return { ms, peakMib };
}

function makeProject(place: Place, name: string, lines: readonly string[]): void {
  const folder = join(place.folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "Model.py"),
    `class Model:\n    name = "${name}"\n\n    def predict(self, X, names=None):\n        return X\n`,
  );
  if (lines.length > 0) writeFileSync(join(folder, "requirements.txt"), `${lines.join("\n")}\n`);
}

/** What code and libraries of real packages compress to, and how fast, on every core. */
async function compressors(): Promise<Awaited<ReturnType<typeof interleave>>> {
  const sample = sampleOf(uvCache, values.quick ? 4 * 2 ** 20 : 64 * 2 ** 20);
  await using pool = createDeflatePool();
  const measured = (name: string, run: () => Promise<number>): Contestant => ({
    name,
    async run() {
      const startedAt = performance.now();
      const size = await run();
      const ms = performance.now() - startedAt;
      return {
        ms,
        mbPerS: sample.byteLength / 1e3 / ms,
        percent: (100 * size) / sample.byteLength,
      };
    },
  });
  return await interleave(
    [
      measured("gzip, pinned (libdeflate)", () => sizeOf(gzipPinned(chunks(sample), { pool }))),
      measured("gzip of Node, level 6", () => piped(sample, createGzip({ level: 6 }))),
      measured("zstd of Node, level 3", () =>
        piped(sample, createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } })),
      ),
    ],
    rounds,
  );
}

function sampleOf(folder: string, bytes: number): Buffer {
  const parts: Buffer[] = [];
  let size = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (!entry.isFile() || !/\.(py|so|pyi)$/.test(entry.name)) continue;
    const content = readFileSync(join(entry.parentPath, entry.name));
    parts.push(content);
    size += content.byteLength;
    if (size >= bytes) break;
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 2 ** 20) yield bytes.subarray(at, at + 2 ** 20);
}

async function sizeOf(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of bytes) size += chunk.byteLength;
  return size;
}

async function piped(sample: Uint8Array, through: NodeJS.ReadWriteStream): Promise<number> {
  let size = 0;
  const sink = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => ((size += chunk.byteLength), done()),
  });
  await pipeline(Readable.from(chunks(sample)), through, sink);
  return size;
}
