import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Compiles a file of a package. Inside images it lies beside the bundle, since there are no packages. */
export function wasmModule(specifier: string): WebAssembly.Module {
  const beside = join(import.meta.dirname, basename(specifier));
  const path = existsSync(beside) ? beside : fileURLToPath(import.meta.resolve(specifier));
  return new WebAssembly.Module(readFileSync(path));
}
