// Takes things from the files that make them and not from the entry of their folder. Who needs one thing of a folder would load the whole folder.
import { readFileSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";

const REEXPORT = /^export\s+(type\s+)?\{([^}]*)\}\s+from\s+"([^"]+)";/gm;
const IMPORT_OF_FOLDER = /^import\s+\{([^}]*)\}\s+from\s+"(\.[^"]*\/index\.(?:ts|js))";/gm;
const COMMENT = /\/\*.*?\*\/|^\/\/.*$/gms;

/** A file, and what it calls a thing. */
interface Origin {
  readonly file: string;
  readonly name: string;
}

/** The text of a module whose imports name the files that make things. An entry that does more than name things of other files is left as it is. */
export function withDirectImports(text: string, path: string): string {
  return text.replace(IMPORT_OF_FOLDER, (_, names: string, from: string) =>
    valuesIn(names)
      .map(([name = "", as = name]) => {
        const { file, name: made } = origin(resolve(dirname(path), from), name);
        const named = made === as ? made : `${made} as ${as}`;
        return `import { ${named} } from "${specifier(path, file)}";`;
      })
      .join(" "),
  );
}

function specifier(from: string, to: string): string {
  const path = relative(dirname(from), to).split(sep).join("/");
  return path.startsWith(".") ? path : `./${path}`;
}

function origin(file: string, name: string): Origin {
  const isEntry = /\/index\.(?:ts|js)$/.test(file);
  return (isEntry ? exportsOf(file)?.get(name) : undefined) ?? { file, name };
}

const known = new Map<string, ReadonlyMap<string, Origin> | undefined>();

/** What a folder's entry has, by name: where each thing is made. Undefined for one that does more than name things of other files. */
function exportsOf(index: string): ReadonlyMap<string, Origin> | undefined {
  if (!known.has(index)) known.set(index, readExports(index));
  return known.get(index);
}

function readExports(index: string): ReadonlyMap<string, Origin> | undefined {
  const found = new Map<string, Origin>();
  const rest = readFileSync(index, "utf8")
    .replace(COMMENT, "")
    .replace(REEXPORT, (_, type: string | undefined, names: string, from: string) => {
      if (type === undefined)
        for (const [name = "", as = name] of valuesIn(names))
          found.set(as, origin(resolve(dirname(index), from), name));
      return "";
    });
  return rest.trim() === "" ? found : undefined;
}

/** Pairs of a name and what it is called, without types. */
function valuesIn(names: string): string[][] {
  return names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && !name.startsWith("type "))
    .map((name) => name.split(/\s+as\s+/));
}
