import { open, readdir, rename, stat, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { followInRoot } from "./root-path.ts";

const BIN_FOLDERS = ["usr/bin", "usr/local/bin", "opt/slipway/python/bin"];
const LIBRARY_FOLDERS = [
  "usr/local/lib",
  "lib/x86_64-linux-gnu",
  "usr/lib/x86_64-linux-gnu",
  "lib/aarch64-linux-gnu",
  "usr/lib/aarch64-linux-gnu",
  "lib64",
  "usr/lib64",
  "lib",
  "usr/lib",
];
const PYTHON = /^python3\.\d+$/;
const PT_INTERP = 3;

/**
 * Puts a script in front of every Python of an unpacked image: it starts the real one through the image's own loader,
 * with the image's libraries and its standard library, whatever the host has. `sys.executable` is the script, so that
 * child processes start the same way.
 */
export async function wrapPythons(root: string): Promise<void> {
  for (const folder of BIN_FOLDERS) {
    const place = await followInRoot(root, folder);
    if (place === undefined) continue;
    for (const name of await readdir(join(root, place)))
      if (PYTHON.test(name)) await wrap(root, posix.join(place, name));
  }
}

async function wrap(root: string, place: string): Promise<void> {
  const path = join(root, place);
  const interpreter = await interpreterOf(path);
  const loader =
    interpreter === undefined
      ? undefined
      : await followInRoot(root, interpreter.replace(/^\/+/, ""));
  if (loader === undefined) return;
  const libraries: string[] = [];
  for (const folder of LIBRARY_FOLDERS) {
    const found = await followInRoot(root, folder);
    if (found !== undefined && (await stat(join(root, found))).isDirectory())
      libraries.push(join(root, found));
  }
  const real = `${path}.image`;
  await rename(path, real);
  const home = join(root, posix.dirname(posix.dirname(place)));
  const command = [
    join(root, loader),
    "--argv0",
    path,
    "--library-path",
    [...new Set(libraries)].join(":"),
    real,
  ]
    .map(quoted)
    .join(" ");
  await writeFile(
    path,
    `#!/bin/sh\nPYTHONHOME=${quoted(home)}\nexport PYTHONHOME\nexec ${command} "$@"\n`,
    { mode: 0o755 },
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The loader that a program asks for. `undefined` when the file is not a dynamic 64-bit
 * little-endian program.
 * @see ELF-64, program header
 */
async function interpreterOf(path: string): Promise<string | undefined> {
  await using file = await open(path, "r");
  const read = async (position: number, length: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  };
  const header = await read(0, 64);
  if (
    header.byteLength < 64 ||
    header.readUInt32BE(0) !== 0x7f454c46 ||
    header[4] !== 2 ||
    header[5] !== 1
  )
    return undefined;
  const start = Number(header.readBigUInt64LE(32));
  const size = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  if (!Number.isSafeInteger(start) || size < 56) return undefined;
  const table = await read(start, size * count);
  for (let at = 0; at + 56 <= table.byteLength; at += size) {
    if (table.readUInt32LE(at) !== PT_INTERP) continue;
    const offset = Number(table.readBigUInt64LE(at + 8));
    const length = Number(table.readBigUInt64LE(at + 32));
    if (!Number.isSafeInteger(offset) || length > 4096) return undefined;
    return (await read(offset, length)).toString("latin1").replace(/\0.*$/s, "");
  }
  return undefined;
}
