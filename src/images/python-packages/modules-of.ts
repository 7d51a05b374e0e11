/** Files in a folder of packages, by what an import of a module looks for. */
const MODULE_FILE = /^([A-Za-z_]\w*)(?:\.(?:py|pyc|abi3\.so|cpython-[\w-]+\.so|so))$/;

/**
 * Names that `import NAME` finds in a folder such as `site-packages`, in order.
 * @param paths - of files, below that folder
 */
export function modulesOf(paths: Iterable<string>): readonly string[] {
  const modules = new Set<string>();
  for (const path of paths) {
    const name = moduleOf(path);
    if (name !== undefined) modules.add(name);
  }
  return [...modules].toSorted();
}

/** The module at the top that a file belongs to, if any. */
export function moduleOf(path: string): string | undefined {
  const end = path.indexOf("/");
  if (end < 0) return MODULE_FILE.exec(path)?.[1];
  const top = path.slice(0, end);
  return /^[A-Za-z_]\w*$/.test(top) && top !== "bin" && top !== "__pycache__" ? top : undefined;
}
