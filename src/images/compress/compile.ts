import { DEFLATE_WASM_BASE64 } from "./deflate-wasm.ts";

/** Compiles the compressor: a few milliseconds, so once per stream or pool. */
export function compileDeflate(): WebAssembly.Module {
  return new WebAssembly.Module(Buffer.from(DEFLATE_WASM_BASE64, "base64"));
}
