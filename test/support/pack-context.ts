import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createDeflatePool } from "../../src/images/compress/index.ts";
import { emptyImage, imageDescriptor } from "../../src/images/oci/index.ts";
import {
  packImages,
  walkTree,
  type BaseImage,
  type PackContext,
  type PackedImage,
  type PackProject,
} from "../../src/images/pack/index.ts";
import type { Store } from "../../src/images/store/index.ts";

/** What packing by the library takes. */
export interface Packing {
  /** Claims what a project needs, and has no layers. */
  readonly base: BaseImage;
  readonly context: PackContext;
  readonly project: (folder: string, change?: Partial<PackProject>) => PackProject;
  readonly close: () => Promise<void>;
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

/** Stand-ins for the tool's large files lie beside the cache. */
export async function openPacking({
  folders,
  store,
}: {
  readonly folders: { readonly cache: string };
  readonly store: Store;
}): Promise<Packing> {
  const tool = dirname(folders.cache);
  const [server, worker] = [join(tool, "server"), join(tool, "worker")];
  await mkdir(join(worker, "slipway_worker"), { recursive: true });
  await mkdir(join(worker, "tests"));
  await mkdir(server);
  await writeFile(join(server, "server.mjs"), "// server\n");
  await writeFile(join(worker, "slipway_worker/__init__.py"), "");
  await writeFile(join(worker, "tests/test_x.py"), "");
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
    cacheDir: folders.cache,
    tool: {
      version: "0.0.0",
      serverFolder: server,
      workerFolder: worker,
      nodeBinary: process.execPath,
    },
    pool,
    environment: process.env,
    downloadPackage: () => {
      throw new Error("this Node is the pinned one");
    },
  };
  return {
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
    async close() {
      await pool[Symbol.asyncDispose]();
    },
  };
}
