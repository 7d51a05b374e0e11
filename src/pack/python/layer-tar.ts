import { posix } from "node:path";
import type { Bytes, CallOptions } from "../../internal/index.ts";
import { CHUNK_BYTES, readChecked, type LayerFile } from "./layer-content.ts";

export async function* tarOf(files: readonly LayerFile[], sitePackages: string, options: CallOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  const root = sitePackages.slice(1); const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const dirs = new Set<string>([root]);
  for (const f of files) for (let d = posix.dirname(`${root}/${f.path}`); d !== root && !dirs.has(d); d = posix.dirname(d)) dirs.add(d);
  const all = [...[...dirs].map((d) => ({ path: d + "/", file: undefined as LayerFile | undefined })), ...files.map((f) => ({ path: `${root}/${f.path}`, file: f as LayerFile | undefined }))].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  for (const { path, file } of all) {
    const h = Buffer.alloc(512); let name = path, prefix = "";
    if (name.length > 100) { const i = path.lastIndexOf("/", path.length - 2) ; let k = path.indexOf("/", path.length - 101); if (k < 0) k = i; prefix = path.slice(0, k); name = path.slice(k + 1); }
    h.write(name, 0); h.write(prefix, 345); h.write(file === undefined || file.isExecutable ? "0000755\0" : "0000644\0", 100); h.write("0000000\0", 108); h.write("0000000\0", 116);
    h.write((file?.size ?? 0).toString(8).padStart(11, "0") + "\0", 124); h.write("00000000000\0", 136); h.write("        ", 148); h.write(file ? "0" : "5", 156); h.write("ustar\x0000", 257);
    let sum = 0; for (const b of h) sum += b; h.write(sum.toString(8).padStart(6, "0") + "\0 ", 148);
    yield h;
    if (file !== undefined) { yield* readChecked(file, { ...options, buffer }); const pad = (512 - (file.size % 512)) % 512; if (pad) yield Buffer.alloc(pad); }
  }
  yield Buffer.alloc(1024);
}
