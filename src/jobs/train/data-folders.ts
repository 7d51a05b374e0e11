import { isAbsolute, relative, resolve, sep } from "node:path";

/** A file of the code folder, as far as telling data from code needs to know it. */
export interface SeenFile {
  /** Relative to the code folder, joined by `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** A folder that had better not be in an image. */
export interface DataFolder {
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
}

/** Folders of the code folder that the mounts of a training container hide; they never go into an image. */
export const HIDDEN_FOLDERS: readonly string[] = ["data", "output"];

const NAMES =
  /^(data|datas|dataset|datasets|train|train_data|training_data|val|validation|test_data|images|imgs|samples|corpus|records|tfrecords|lmdb|raw)$/i;
const MANY_BYTES = 64 * 2 ** 20;
const SOME_BYTES = 2 ** 20;
const CODE = /\.(py|pyx|c|cc|cpp|cu|h|hpp|sh|md|rst|toml|ya?ml|cfg|ini|prototxt|ipynb)$/i;

/** Folders at the top of the code folder that look like data: by their name and a mebibyte, or by sheer size. */
export function findDataFolders(files: readonly SeenFile[]): readonly DataFolder[] {
  const groups = Map.groupBy(
    files.filter(({ path }) => path.includes("/")),
    ({ path }) => path.slice(0, path.indexOf("/")),
  );
  return [...groups].flatMap(([path, members]): readonly DataFolder[] => {
    const data = members.filter((member) => !CODE.test(member.path));
    const bytes = data.reduce((sum, { size }) => sum + size, 0);
    return bytes >= MANY_BYTES || (bytes >= SOME_BYTES && NAMES.test(path))
      ? [{ path, files: data.length, bytes }]
      : [];
  });
}

/** Where a folder lies below the code folder, joined by `/`; `undefined` when it is elsewhere or the same. */
export function placeBelow(codePath: string, folder: string, cwd: string): string | undefined {
  const way = relative(resolve(cwd, codePath), resolve(cwd, folder));
  return way === "" || way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way)
    ? undefined
    : way.split(sep).join("/");
}
