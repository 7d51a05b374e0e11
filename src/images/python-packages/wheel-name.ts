import { ToolError } from "../../ground/errors/index.ts";

/** What a wheel's file name says. @see PEP 427, PEP 600, PEP 656 */
export interface WheelName {
  /** Normalised: lower case, dashes. */
  readonly name: string;
  readonly version: string;
  /** No compiled code: any platform. */
  readonly isPure: boolean;
  /** The oldest glibc that satisfies the wheel, `[2, 17]`; absent for pure, musl and plain `linux` wheels. */
  readonly glibc?: readonly [number, number];
}

/** What older names of platform tags stand for. @see PEP 600 */
const LEGACY: Readonly<Record<string, readonly [number, number]>> = {
  manylinux1: [2, 5],
  manylinux2010: [2, 12],
  manylinux2014: [2, 17],
};

/** Package names compare without case, and with runs of `-`, `_` and `.` equal. @see PEP 503 */
export function normalizeName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/**
 * Reads `{name}-{version}(-{build})?-{python}-{abi}-{platform}.whl`.
 * @throws ToolError `REQUIREMENTS_INVALID` for any other name.
 */
export function parseWheelName(fileName: string): WheelName {
  const parts = fileName.endsWith(".whl") ? fileName.slice(0, -4).split("-") : [];
  const [name, version] = parts;
  const platform = parts.at(-1);
  if (
    name === undefined ||
    version === undefined ||
    platform === undefined ||
    parts.length < 5 ||
    parts.length > 6
  ) {
    throw new ToolError(
      "REQUIREMENTS_INVALID",
      `read wheel name "${fileName}": it has not the form name-version-python-abi-platform.whl`,
    );
  }
  const tags = platform.split(".");
  const glibcs = tags.map(glibcOf).filter((glibc) => glibc !== undefined);
  const oldest = glibcs.toSorted(compareVersions).at(0);
  return {
    name: normalizeName(name),
    version,
    isPure: tags.includes("any"),
    ...(oldest === undefined ? {} : { glibc: oldest }),
  };
}

/** Orders two-part versions. */
export function compareVersions(
  left: readonly [number, number],
  right: readonly [number, number],
): number {
  return left[0] - right[0] || left[1] - right[1];
}

/** The newest glibc any of the wheels needs, as `2.28`. */
export function neededGlibc(fileNames: readonly string[]): string | undefined {
  const newest = fileNames
    .map((fileName) => parseWheelName(fileName).glibc)
    .filter((glibc) => glibc !== undefined)
    .toSorted(compareVersions)
    .at(-1);
  return newest?.join(".");
}

function glibcOf(tag: string): readonly [number, number] | undefined {
  const modern = /^manylinux_(\d+)_(\d+)_/.exec(tag);
  if (modern !== null) return [Number(modern[1]), Number(modern[2])];
  return LEGACY[tag.split("_")[0] ?? ""];
}
