import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** A file of the page as browsers get it. */
export interface PageFile {
  /** Below the page's folder, such as `assets/app-1a2b.js`. */
  readonly path: string;
  readonly contentType: string;
  readonly bytes: Buffer;
  /** The same for those who take gzip. */
  readonly packed: Buffer;
  /** True when another content would have another name. */
  readonly isHashed: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const ASSETS = "assets";
const zip = promisify(gzip);

/** Where the built page lies: beside the server's bundle in an image, or in the build of the package. */
const PLACES = ["page", "../../server/page", "../../../dist/server/page"];

/** The built page, by path; empty where it has not been built. Every file is read and packed once, so what is served is small and at hand. */
export async function readPageFiles(
  folders: readonly string[] = PLACES.map((place) => join(import.meta.dirname, place)),
): Promise<ReadonlyMap<string, PageFile>> {
  for (const folder of folders) {
    const files = await filesIn(folder);
    if (files.some(({ path }) => path === "index.html"))
      return new Map(files.map((file) => [file.path, file]));
  }
  return new Map();
}

async function filesIn(folder: string): Promise<readonly PageFile[]> {
  const paths = [
    ...(await namesIn(folder)),
    ...(await namesIn(join(folder, ASSETS))).map((name) => `${ASSETS}/${name}`),
  ];
  const known = paths.filter((path) => extname(path) in TYPES);
  return Promise.all(
    known.map(async (path) => {
      const bytes = await readFile(join(folder, path));
      const contentType = TYPES[extname(path)] ?? "application/octet-stream";
      const packed = await zip(bytes, { level: 9 });
      return { path, contentType, bytes, packed, isHashed: path.startsWith(`${ASSETS}/`) };
    }),
  );
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
