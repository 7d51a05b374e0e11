import type { OpenedPackage } from "./contracts.ts";
import { parseRelations, relationNames } from "./control.ts";

/** Packages that share a layer. */
export interface PackageGroup {
  /** Such as `python`; part of the image's history. */
  readonly name: string;
  readonly packages: readonly OpenedPackage[];
}

export interface GroupRoots {
  readonly name: string;
  /** Chooses the packages that the group is for; what they need and no earlier group has comes with them. */
  readonly isRoot: (name: string) => boolean;
}

/**
 * Parts packages into groups: each takes its roots and what they depend on, the rest makes the last one. So a base with
 * more packages shares the earlier layers with one that has fewer. Groups without packages are left out.
 */
export function groupPackages(
  packages: readonly OpenedPackage[],
  roots: readonly GroupRoots[],
): readonly PackageGroup[] {
  const providers = providersOf(packages);
  const left = new Map(packages.map((item) => [item.name, item]));
  const groups = roots.map(({ name, isRoot }) => {
    const queue = [...left.keys()].filter(isRoot);
    const taken: OpenedPackage[] = [];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const item = left.get(next);
      if (item === undefined) continue;
      left.delete(next);
      taken.push(item);
      queue.push(...needsOf(item).flatMap((need) => providers.get(need) ?? []));
    }
    return { name, packages: inOrder(taken) };
  });
  return [...groups, { name: "packages", packages: inOrder([...left.values()]) }].filter(
    (group) => group.packages.length > 0,
  );
}

function providersOf(packages: readonly OpenedPackage[]): ReadonlyMap<string, readonly string[]> {
  const providers = new Map<string, string[]>();
  const add = (name: string, provider: string): void => {
    providers.set(name, [...(providers.get(name) ?? []), provider]);
  };
  for (const item of packages) {
    add(item.name, item.name);
    for (const name of relationNames(item.fields.get("provides"))) add(name, item.name);
  }
  return providers;
}

function needsOf(item: OpenedPackage): readonly string[] {
  return [
    ...parseRelations(item.fields.get("pre-depends")),
    ...parseRelations(item.fields.get("depends")),
  ].flat();
}

/** The package that makes the root's folders first, then by name: the order in which trees are merged. */
function inOrder(packages: readonly OpenedPackage[]): readonly OpenedPackage[] {
  const rank = (item: OpenedPackage): string => (item.name === "base-files" ? "" : item.name);
  return packages.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1));
}
