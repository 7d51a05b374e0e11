import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import type { ToolFiles } from "../../images/pack/index.ts";

/** The package's folder: sources, build and data files stand below it. */
const ROOT = resolve(import.meta.dirname, "../../..");

/** The tool's own version. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}

/** Finds what of the tool goes into images: the server bundle, the Python worker, ONNX Runtime, perhaps this very Node. */
export function findToolFiles(version: string = readVersion()): ToolFiles {
  const root = ROOT;
  return {
    version,
    serverFolder: join(root, "dist/server"),
    workerFolder: join(root, "python"),
    onnxRuntimeFolder: packageFolder("onnxruntime-node"),
    nodeBinary: process.execPath,
  };
}

function packageFolder(name: string): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const folder = entry.slice(0, entry.lastIndexOf(`/${name}/`) + name.length + 1);
    return existsSync(join(folder, "package.json")) ? folder : dirname(entry);
  } catch {
    return undefined; // an optional dependency that is not there
  }
}
