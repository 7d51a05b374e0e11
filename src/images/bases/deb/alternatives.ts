import { posix } from "node:path";
import type { OpenedPackage } from "./contracts.ts";
import type { Tree } from "./tree.ts";

/** One `update-alternatives --install` of a package's script. */
export interface Alternative {
  readonly link: string;
  readonly name: string;
  readonly path: string;
  readonly priority: number;
  readonly owner: string;
  /** Links that follow the choice. */
  readonly followers: readonly {
    readonly link: string;
    readonly name: string;
    readonly path: string;
  }[];
}

/** Reads the alternatives that a script registers in plain words; those that it computes are not seen. */
export function parseAlternatives(script: string, owner: string): readonly Alternative[] {
  return script
    .replace(/\\\n/g, " ")
    .split(/[\n;]|&&|\|\|/)
    .flatMap((command) => {
      const words = command
        .trim()
        .split(/\s+/)
        .map((word) => word.replace(/^(["'])(.*)\1$/, "$2"));
      const start = words.indexOf("update-alternatives");
      if (start < 0 || words[start + 1] !== "--install") return [];
      const [link, name, path, priority, ...rest] = words.slice(start + 2);
      if (
        ![link, name, path].every(isPlain) ||
        link === undefined ||
        name === undefined ||
        path === undefined ||
        !/^-?\d+$/.test(priority ?? "")
      )
        return [];
      return [
        { link, name, path, priority: Number(priority), owner, followers: followersOf(rest) },
      ];
    });
}

/** Adds the links of the best alternative of each name, as `update-alternatives --auto` chooses. */
export function addAlternatives(tree: Tree, packages: readonly OpenedPackage[]): void {
  const all = packages
    .flatMap((item) => parseAlternatives(item.scripts.get("postinst") ?? "", item.name))
    .filter(({ path }) => tree.find(path.slice(1)) !== undefined);
  const best = new Map<string, Alternative>();
  for (const one of all) {
    const other = best.get(one.name);
    if (other === undefined || one.priority > other.priority) best.set(one.name, one);
  }
  for (const { followers, owner, ...main } of best.values()) {
    for (const { link, name, path } of [main, ...followers]) {
      if (tree.find(path.slice(1)) === undefined || tree.nodes.has(link.slice(1))) continue;
      const own = { type: "symlink" as const, uid: 0, gid: 0, owner };
      tree.set(link.slice(1), { ...own, target: `/etc/alternatives/${name}` });
      tree.set(`etc/alternatives/${name}`, { ...own, target: path });
    }
  }
}

function followersOf(words: readonly string[]): Alternative["followers"] {
  return words.flatMap((word, index) => {
    const [link, name, path] = words.slice(index + 1, index + 4);
    return word === "--slave" &&
      link !== undefined &&
      name !== undefined &&
      path !== undefined &&
      [link, name, path].every(isPlain)
      ? [{ link, name, path }]
      : [];
  });
}

/** A word without shell syntax and without `..` or links: it means what it says. */
function isPlain(word: string | undefined): boolean {
  return word !== undefined && /^[A-Za-z0-9_./+@:-]+$/.test(word) && posix.normalize(word) === word;
}
