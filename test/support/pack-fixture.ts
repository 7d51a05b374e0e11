import { rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDeflatePool } from "../../src/images/compress/index.ts";
import { createTempDir } from "../../src/ground/process/index.ts";
import { emptyImage, imageDescriptor } from "../../src/images/oci/index.ts";
import {
  packImages,
  walkTree,
  type BaseImage,
  type PackContext,
  type PackedImage,
  type PackProject,
} from "../../src/images/pack/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";

/** A store of its own, stand-ins for the tool's large files, and a base that claims what a project needs. */
export interface PackFixture extends AsyncDisposable {
  readonly root: string;
  readonly store: Store;
  readonly base: BaseImage;
  readonly context: PackContext;
  project(folder: string, change?: Partial<PackProject>): PackProject;
}

export async function packFixture(): Promise<PackFixture> {
  return fixtureFrom(await packSeed());
}

/** Folder whose `data` and `cache` hold the tool's own large layers. */
export function packSeed(): Promise<string> {
  return (seed ??= makeSeed());
}

/** Packs for one base. */
export async function packOne(
  project: PackProject,
  base: BaseImage,
  context: PackContext,
): Promise<PackedImage> {
  const tree = await walkTree(project.root, { ignore: project.ignore });
  const [image] = await packImages({ project, tree }, [base], context);
  if (image === undefined) throw new Error("no image for a base");
  return image;
}

// The Node layer takes seconds to compress: it is made once a process, and every fixture starts with a copy of it.
let seed: Promise<string> | undefined;

async function makeSeed(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-pack-seed-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await using fixture = await fixtureFrom(undefined);
  await writeFiles(join(fixture.root, "p"), { "Model.py": "class Model: pass\n" });
  await packOne(fixture.project(join(fixture.root, "p")), fixture.base, fixture.context);
  for (const name of ["data", "cache"])
    await cp(join(fixture.root, name), join(folder, name), {
      recursive: true,
      preserveTimestamps: true,
    });
  return folder;
}

async function fixtureFrom(seedFolder: string | undefined): Promise<PackFixture> {
  const folder = await createTempDir("slipway-pack");
  const root = folder.path;
  await writeFiles(join(root, "server"), { "server.mjs": "// server\n" });
  await writeFiles(join(root, "worker"), {
    "slipway_worker/__init__.py": "",
    "tests/test_x.py": "",
  });
  for (const name of seedFolder === undefined ? [] : ["data", "cache"])
    await cp(join(seedFolder ?? "", name), join(root, name), { recursive: true });
  const store = createStore({ dataDir: join(root, "data"), cacheDir: join(root, "cache") });
  const pool = createDeflatePool();
  const platform = { os: "linux", architecture: "amd64" };
  const image = emptyImage(platform);
  const base: BaseImage = {
    image,
    platform,
    name: "store:base",
    digest: (await imageDescriptor(image)).digest,
    facts: {
      python: {
        version: "3.11.2",
        executable: "/usr/bin/python3",
        sitePackages: "/usr/lib/python3/dist-packages",
      },
      glibc: "2.36",
      sonames: ["libstdc++.so.6"],
      directories: {},
    },
  };
  const context: PackContext = {
    store,
    digests: store.digestCache(),
    cache: (namespace) => store.cache(namespace),
    cacheDir: join(root, "cache"),
    tool: {
      version: "0.0.0",
      serverFolder: join(root, "server"),
      workerFolder: join(root, "worker"),
      nodeBinary: process.execPath,
    },
    pool,
    environment: process.env,
    downloadPackage: () => {
      throw new Error("this Node is the pinned one");
    },
  };
  return {
    root,
    store,
    base,
    context,
    project: (path, change = {}) => ({
      root: path,
      name: "iris",
      kind: "class",
      code: { file: "Model.py", name: "Model", language: "python" },
      contract: "seldon",
      service: "MODEL",
      ports: { http: 9000, grpc: 5000, metrics: 6000 },
      server: {},
      env: {},
      requirements: [],
      requirementLines: [],
      ignore: [],
      allowSecrets: [],
      labels: {},
      annotations: {},
      epochS: 0,
      ...change,
    }),
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Writes files by relative path. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}
