import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";

/** Which list a file is held against: a model that slipway loads itself, data of numpy, weights of torch, or what user code loads. */
export type PickleUse = "sklearn" | "numpy" | "torch" | "class";

/** Exact dotted names that a pickle may import. */
export interface AllowList {
  readonly names: ReadonlySet<string>;
  /** Classes of `names` that a pickle may make empty and fill, but not call with arguments, since those would open files. */
  readonly notCalled: ReadonlySet<string>;
}

/** By hand: functions and what needs a reason. From releases: classes that `scripts/list-pickle-classes.py` found. */
const FILES = ["by-hand.json", "from-releases.json"];

interface ListFile {
  readonly kinds?: Readonly<Record<string, readonly string[]>>;
  readonly notCalled?: readonly string[];
  readonly libraries: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/**
 * Reads the list that the Python worker reads too.
 * @param extra - names that the user allowed.
 * @throws ToolError `TOOL_MISSING` when the worker's folder is not there.
 */
export async function readAllowList(
  use: PickleUse,
  extra: readonly string[] = [],
): Promise<AllowList> {
  const folder = findFolder();
  const parts = await Promise.all(
    // Our own files; a test holds their shape.
    FILES.map(async (name) => JSON.parse(await readFile(join(folder, name), "utf8")) as ListFile),
  );
  const libraries = new Set(parts.flatMap(({ kinds }) => kinds?.[use] ?? []));
  const listed = parts
    .flatMap((part) => Object.entries(part.libraries))
    .filter(([library]) => libraries.has(library))
    .flatMap(([, modules]) => Object.entries(modules))
    .flatMap(([module, names]) => names.map((name) => `${module}.${name}`));
  return {
    names: new Set([...listed, ...extra]),
    notCalled: new Set(parts.flatMap(({ notCalled = [] }) => notCalled)),
  };
}

/** The worker lies in `python/` at the package's root, and beside the bundle inside images. */
function findFolder(): string {
  const here = import.meta.dirname;
  const candidates = [join(here, "../../../../python"), join(here, "python")].map((root) =>
    join(root, "slipway_worker", "allowed"),
  );
  const found = candidates.find((folder) => existsSync(folder));
  if (found === undefined)
    throw new ToolError("TOOL_MISSING", `find the allow-list of pickles: it is not in "${here}"`);
  return found;
}
