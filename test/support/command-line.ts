import { spawn, type ChildProcess } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { createTempDir } from "../../src/ground/process/index.ts";
import {
  appendLayers,
  createIndex,
  digestOf,
  emptyImage,
  imageDescriptor,
  manifestOf,
  MEDIA_TYPES,
  mutateConfig,
  parseReference,
  type Descriptor,
  type Image,
} from "../../src/images/oci/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { packSeed } from "./pack-fixture.ts";
import { bytesLayer, randomLayer } from "./random-image.ts";
import { tarOf } from "./tiny-tar.ts";

/** What a command came to. */
export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The `result` event of a command that was run with `--json`. */
  readonly result: Readonly<Record<string, unknown>>;
}

/** The command line with data folders of its own. */
export interface CommandLine {
  /** Empty folder for projects. */
  readonly root: string;
  readonly store: Store;
  readonly env: NodeJS.ProcessEnv;
  /** Runs a command to its end, whatever that is. */
  slipway(...args: readonly string[]): Promise<Ran>;
  /** Starts a command. */
  start(...args: readonly string[]): ChildProcess;
}

const BIN = resolve(import.meta.dirname, "../../bin/slipway.js");

/** Data folders that go away with the test, in which the tool's own large layers are made already. */
export async function commandLine(
  t: TestContext,
  options: { readonly parent?: string } = {},
): Promise<CommandLine> {
  const folder = await createTempDir("slipway-cli", options.parent);
  const [data, cache] = [join(folder.path, "data"), join(folder.path, "cache")];
  const root = join(folder.path, "root");
  await mkdir(root);
  const seed = await packSeed();
  await cp(join(seed, "data"), join(data, "slipway"), { recursive: true });
  await cp(join(seed, "cache"), join(cache, "slipway"), { recursive: true });
  const store = createStore({ dataDir: join(data, "slipway"), cacheDir: join(cache, "slipway") });
  t.after(async () => {
    await store[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });
  const env = {
    ...process.env,
    XDG_DATA_HOME: data,
    XDG_CACHE_HOME: cache,
    XDG_STATE_HOME: join(folder.path, "state"),
    SLIPWAY_FROM_SOURCE: "1",
  };
  const start = (...args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [BIN, ...args], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  return { root, store, env, start, slipway: (...args) => untilEnd(start(...args)) };
}

/** Output and exit code of a child. */
export async function untilEnd(child: ChildProcess): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => err.push(text));
  const exitCode = await new Promise<number | null>((done, fail) =>
    child.once("close", done).once("error", fail),
  );
  const stdout = out.join("");
  return { exitCode, stdout, stderr: err.join(""), result: resultOf(stdout) };
}

function resultOf(stdout: string): Readonly<Record<string, unknown>> {
  const line = stdout
    .trimEnd()
    .split("\n")
    .findLast(
      (text) => text.startsWith('{"event":"result"') || text.startsWith('{"event":"error"'),
    );
  return line === undefined ? {} : (JSON.parse(line) as Readonly<Record<string, unknown>>);
}

export interface FakeBaseOptions {
  readonly architectures?: readonly string[];
  readonly layers?: number;
  readonly python?: string;
  readonly glibc?: string;
  /** More libraries than the usual ones. */
  readonly libraries?: readonly string[];
  /** Claims a Python that is not there. Default false. */
  readonly isBare?: boolean;
}

/** A base of random bytes that says of itself what a Debian base says. @returns the descriptor of its index, or image. */
export async function putFakeBase(
  store: Store,
  name: string,
  options: FakeBaseOptions = {},
): Promise<Descriptor> {
  const { architectures = ["amd64"] } = options;
  const images: { descriptor: Descriptor; platform: { os: string; architecture: string } }[] = [];
  for (const [index, architecture] of architectures.entries())
    images.push({
      descriptor: await putImage(store, fakeBase(architecture, index, options)),
      platform: { os: "linux", architecture },
    });
  const [only] = images;
  if (images.length === 1 && only !== undefined) {
    await store.tag(only.descriptor, nameInStore(name));
    return only.descriptor;
  }
  const { bytes, descriptor } = createIndex(images);
  await store.put(descriptor, chunk(bytes));
  await store.tag(descriptor, nameInStore(name));
  return descriptor;
}

function fakeBase(
  architecture: string,
  seed: number,
  {
    layers = 2,
    python = "3.11.2",
    glibc = "2.36",
    isBare = false,
    libraries = [],
  }: FakeBaseOptions,
): Image {
  const additions = Array.from({ length: layers }, (_, index) => ({
    layer: randomLayer({ seed: 100 * seed + index, bytes: 30_000, compression: "gzip" }),
    history: { created_by: `base ${index}` },
  }));
  if (!isBare) {
    const tar = tarOf({ "usr/bin/python3": { type: "2", link: "python3.11" } });
    additions.push({
      layer: bytesLayer(tar, MEDIA_TYPES.layerTar, digestOf(tar)),
      history: { created_by: "python" },
    });
  }
  const labels = {
    suite: "bookworm",
    architecture,
    glibc,
    ...(python === ""
      ? {}
      : {
          "python.version": python,
          "python.executable": "/usr/bin/python3",
          "python.site-packages": "/usr/lib/python3/dist-packages",
        }),
    packages: "[]",
    sonames: ["libstdc++.so.6", "libgcc_s.so.1", ...libraries].join(" "),
    directories: "{}",
  };
  const Labels = Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [`dev.slipway.base.${key}`, value]),
  );
  return mutateConfig(
    appendLayers(emptyImage({ os: "linux", architecture }), additions),
    (config) => ({ ...config, config: { Labels } }),
  );
}

async function putImage(store: Store, image: Image): Promise<Descriptor> {
  for (const layer of await image.layers()) await store.put(await layer.descriptor(), layer.open());
  await store.put((await manifestOf(image)).config, chunk(await image.rawConfig()));
  const descriptor = await imageDescriptor(image);
  await store.put(descriptor, chunk(await image.rawManifest()));
  return descriptor;
}

/** How the store calls `store:NAME`. */
export function nameInStore(name: string): ReturnType<typeof parseReference> {
  return { registry: "store", repository: name, tag: "latest" };
}

async function* chunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
