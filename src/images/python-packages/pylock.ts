import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import { ToolError } from "../../ground/errors/index.ts";
import type { LockedWheel } from "./contracts.ts";
import { normalizeName, parseWheelName } from "./wheel-name.ts";

/**
 * Reads a lock that `uv pip compile --format pylock.toml` made for one platform: one wheel per package, in name order.
 * @param root - folder that relative paths in the lock start from.
 * @throws ToolError `REQUIREMENT_WITHOUT_WHEEL` for a package that is a folder, a repository or an sdist; `REQUIREMENTS_INVALID`
 *   for text that is no such lock.
 * @see PEP 751
 */
export function parsePylock(text: string, root: string): readonly LockedWheel[] {
  const packages = parseToml(text)["packages"] ?? [];
  if (!Array.isArray(packages)) throw invalidLock('"packages" is not a list');
  const wheels = packages
    .map((entry: unknown) => parsePackage(entry, root))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const twice = wheels.find(({ name }, index) => wheels[index + 1]?.name === name);
  if (twice !== undefined)
    throw invalidLock(
      `"${twice.name}" is chosen twice, so an index offers "${twice.fileName}" as another package`,
    );
  return wheels;
}

function parseToml(text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (error) {
    throw invalidLock("it is not TOML", error);
  }
}

function parsePackage(entry: unknown, root: string): LockedWheel {
  const table = toTable(entry, "a package");
  const name = normalizeName(toText(table["name"], "a package's name"));
  const version = typeof table["version"] === "string" ? table["version"] : undefined;
  const wheel = Array.isArray(table["wheels"])
    ? (table["wheels"] as readonly unknown[])[0]
    : undefined;
  if (wheel !== undefined) {
    const file = toTable(wheel, `the wheel of "${name}"`);
    return { name, ...identityOf(file, version), sha256: hashOf(file, name) };
  }
  const archive =
    table["archive"] === undefined
      ? undefined
      : toTable(table["archive"], `the archive of "${name}"`);
  if (archive === undefined || !placeOf(archive).endsWith(".whl"))
    throw withoutWheel(name, version, table);
  return {
    name,
    ...identityOf(archive, version),
    sha256: hashOf(archive, name),
    direct: directOf(archive, root),
  };
}

function identityOf(
  file: Readonly<Record<string, unknown>>,
  version: string | undefined,
): Pick<LockedWheel, "version" | "fileName"> {
  const place = placeOf(file);
  const fileName =
    typeof file["name"] === "string"
      ? file["name"]
      : decodeURIComponent(basename(URL.canParse(place) ? new URL(place).pathname : place));
  return { version: version ?? parseWheelName(fileName).version, fileName };
}

function placeOf(file: Readonly<Record<string, unknown>>): string {
  return toText(file["url"] ?? file["path"], "the place of a wheel").split(/[?#]/)[0] ?? "";
}

function directOf(file: Readonly<Record<string, unknown>>, root: string): string {
  if (typeof file["path"] === "string") return resolve(root, file["path"]);
  const url = toText(file["url"], "the URL of a wheel");
  return url.startsWith("file:") ? fileURLToPath(url) : withoutUser(url);
}

/** The lock is kept on disk: user and password do not belong there, uv finds them again in netrc or a keyring. */
function withoutUser(text: string): string {
  const url = new URL(text);
  url.username = "";
  url.password = "";
  return url.href;
}

function hashOf(file: Readonly<Record<string, unknown>>, name: string): string {
  const sha256 = toTable(file["hashes"] ?? {}, `the hashes of "${name}"`)["sha256"];
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256))
    throw invalidLock(`the wheel of "${name}" has no sha256`);
  return sha256;
}

function withoutWheel(
  name: string,
  version: string | undefined,
  table: Readonly<Record<string, unknown>>,
): ToolError {
  const kind =
    "vcs" in table
      ? "a source repository"
      : "directory" in table
        ? "a folder of sources"
        : "a source archive";
  return new ToolError(
    "REQUIREMENT_WITHOUT_WHEEL",
    `resolve "${name}"${version === undefined ? "" : ` ${version}`}: it is ${kind}, and packages are taken from wheels only`,
    {
      hint: `build it with \`pip wheel --no-deps -w wheels …\` and require "${name}" with --find-links wheels, or copy the sources into your code folder`,
    },
  );
}

function toTable(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidLock(`${what} is not a table`);
  return value as Readonly<Record<string, unknown>>;
}

function toText(value: unknown, what: string): string {
  if (typeof value !== "string" || value === "") throw invalidLock(`${what} is missing`);
  return value;
}

function invalidLock(why: string, cause?: unknown): ToolError {
  return new ToolError("REQUIREMENTS_INVALID", `read the resolver's lock: ${why}`, { cause });
}
