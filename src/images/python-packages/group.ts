import { createHash } from "node:crypto";

/** What grouping looks at. */
export interface Groupable {
  readonly name: string;
  readonly version: string;
  /** Bytes unpacked. */
  readonly size: number;
  readonly isPure: boolean;
}

/** Packages that share a layer, in name order. */
export interface Group<T extends Groupable> {
  readonly label: string;
  readonly members: readonly T[];
}

/** From this size on a package has a layer to itself. */
export const ALONE_BYTES: number = 50 * 2 ** 20;

/** Layers for single packages at most; the smallest of more join the groups. With the four groups: 20 layers. */
const MAX_ALONE = 16;

/** Groups of each kind: with compiled code, and without. */
const BUCKETS = 2;

/**
 * Divides packages into layers so that a changed package touches one layer: large ones alone, the rest by a hash of the name
 * into two groups with compiled code and two without. Groups without compiled code are the same for every platform.
 * Order: alone by name, then the groups.
 */
export function groupPackages<T extends Groupable>(packages: readonly T[]): readonly Group<T>[] {
  const large = packages
    .filter(({ size }) => size >= ALONE_BYTES)
    .toSorted((left, right) => right.size - left.size || compareNames(left, right));
  const alone = new Set(large.slice(0, MAX_ALONE));
  const groups: Group<T>[] = [...alone]
    .toSorted(compareNames)
    .map((one) => ({ label: `python: ${one.name} ${one.version}`, members: [one] }));
  const rest = packages.filter((one) => !alone.has(one)).toSorted(compareNames);
  for (const isPure of [false, true]) {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const members = rest.filter((one) => one.isPure === isPure && bucketOf(one.name) === bucket);
      if (members.length > 0) groups.push({ label: labelOf(members), members });
    }
  }
  return groups;
}

function labelOf(members: readonly Groupable[]): string {
  const [first] = members;
  return members.length === 1 && first !== undefined
    ? `python: ${first.name} ${first.version}`
    : `python: ${members.length} packages`;
}

function bucketOf(name: string): number {
  return (createHash("sha256").update(name).digest()[0] ?? 0) % BUCKETS;
}

function compareNames(left: Groupable, right: Groupable): number {
  return left.name < right.name ? -1 : left.name > right.name ? 1 : 0;
}
