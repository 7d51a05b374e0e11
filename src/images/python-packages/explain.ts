import { ProcessError, stripControls, ToolError } from "../../ground/errors/index.ts";
import { normalizeName } from "./wheel-name.ts";

const KEPT_LINES = 12;

/**
 * Says in our words why a resolver gave up; its own last lines follow. Works on what uv and pip print.
 * Errors that are no such refusal come back as they are.
 */
export function explainResolverError(error: unknown): unknown {
  if (!(error instanceof ProcessError) || error.code !== "PROCESS_FAILED") return error;
  const text = hideCredentials(error.stderrTail);
  const flat = text.replace(/\s+/g, " ");
  return (
    diskFull(flat, error) ??
    noRepository(flat, error) ??
    hostile(flat, error) ??
    withoutWheel(flat, error) ??
    notFound(flat, error) ??
    unreachable(flat, error) ??
    unusable(text, error)
  );
}

/** Takes user and password out of every URL in a text. */
export function hideCredentials(text: string): string {
  return text.replace(/\/\/[^/\s@]*@/g, "//***@");
}

/** An installer has caches and temporary folders of its own, and says where it ran out of space. */
function diskFull(flat: string, cause: unknown): ToolError | undefined {
  if (!/No space left on device|os error 28\b|Disk quota exceeded|os error 122\b/i.test(flat))
    return undefined;
  const place = /(?:path|file|directory|to|at) [`'"]([^`'"]+)[`'"]/i.exec(flat)?.[1];
  return new ToolError(
    "DISK_FULL",
    `install Python packages: no space left on the device${place === undefined ? "" : ` of "${place}"`}`,
    {
      cause,
      hint: "free some space, clear the installer's cache (`uv cache prune`), or choose another place with UV_CACHE_DIR, XDG_CACHE_HOME and TMPDIR",
    },
  );
}

/** A requirement that is a repository: it would be built from sources, if it could be fetched. */
function noRepository(flat: string, cause: unknown): ToolError | undefined {
  if (
    !/Git operation failed|failed to (?:clone|fetch)[^:]*git|git (?:clone|fetch|ls-remote)/i.test(
      flat,
    )
  )
    return undefined;
  const place = /(?:git\+)?(?:ssh|https?|git):\/\/[^\s`'")]+/i.exec(flat)?.[0];
  return new ToolError(
    "REQUIREMENT_WITHOUT_WHEEL",
    `fetch ${place === undefined ? "a repository" : `"${stripControls(place).slice(0, 200)}"`}: git does not get it, and it would be sources, while packages are taken from wheels only`,
    {
      cause,
      hint: "build a wheel where the repository can be reached (`pip wheel --no-deps -w wheels git+…`), and require it with --find-links wheels",
    },
  );
}

/** Both installers refuse some wheels themselves. */
function hostile(flat: string, cause: unknown): ToolError | undefined {
  const why =
    /ZIP file contains (.{1,200}?)(?: hint:|$)|trying to install outside the target directory|Unknown scheme key used/i.exec(
      flat,
    )?.[0];
  return why === undefined
    ? undefined
    : new ToolError("FILE_REFUSED", `unpack a wheel: ${stripControls(why)}`, {
        cause,
        hint: "do not install it: it was not made by a build tool",
      });
}

function withoutWheel(flat: string, cause: unknown): ToolError | undefined {
  const match =
    /Because ([\w.-]+)(?:==([\w.+!-]+))? has no (?:usable wheels|wheels with a matching|wheels)/i.exec(
      flat,
    ) ??
    /Wheels are required for `([\w.-]+)`/i.exec(flat) ??
    /only found wheels for `([\w.-]+)` \(v([\w.+!-]+)\)/i.exec(flat);
  const [, name, version] = match ?? [];
  if (name === undefined) return undefined;
  const tags = /no wheels with a matching ([\w ]+?) tag/i.exec(flat)?.[1];
  const why =
    tags === undefined
      ? "there is no wheel of it, only sources"
      : `none of its wheels fits the target's ${tags.toLowerCase()}${foundTags(flat)}`;
  const [shown, pinned] =
    version === undefined ? ["", name] : [` ${version}`, `${name}==${version}`];
  return new ToolError(
    "REQUIREMENT_WITHOUT_WHEEL",
    `resolve "${normalizeName(name)}"${shown}: ${why}`,
    {
      cause,
      hint: `require a version that has a wheel for the target's Python and platform, or build one with \`pip wheel "${pinned}" --no-deps -w wheels\` on such a machine and add --find-links wheels`,
    },
  );
}

function foundTags(flat: string): string {
  const found = /with the following ([\w ]+? tags?: (?:`[\w.]+`(?:, )?)+)/i.exec(flat)?.[1];
  return found === undefined ? "" : ` (it has ${found.replaceAll("`", "").trim()})`;
}

function notFound(flat: string, cause: unknown): ToolError | undefined {
  const absent =
    /Because ([\w.-]+) was not found in the (package registry|provided package locations|cache)/i.exec(
      flat,
    );
  if (absent !== null) {
    const offline = absent[2]?.toLowerCase() === "cache";
    return new ToolError(
      "PACKAGE_UNAVAILABLE",
      `resolve "${absent[1]}": ${offline ? "it is not in the cache and the network cannot be used" : "no index has a package of this name"}`,
      {
        cause,
        hint: offline
          ? "connect once, or give a folder of wheels with --find-links"
          : "check the spelling, or name the index that has it with --index-url or --extra-index-url",
      },
    );
  }
  const version =
    /there is no version of ([\w.-]+?)(==|<|>|!|~)(\S+?)(?: and|,)/i.exec(flat) ??
    /No matching distribution found for ([\w.-]+)(==)?(\S*)/i.exec(flat);
  if (version === null) return undefined;
  return new ToolError(
    "PACKAGE_UNAVAILABLE",
    `resolve "${version[1]}": no index has version ${version[2] ?? ""}${version[3] ?? ""}`,
    { cause, hint: "require another version, or name the index that has it" },
  );
}

/** True when an index could not be asked, so that what is cached may still do. */
export function isNetworkError(error: unknown): boolean {
  return (
    error instanceof ProcessError &&
    /Failed to fetch|error sending request|dns error|Connection refused|timed? ?out|Network is unreachable|Temporary failure in name/i.test(
      error.stderrTail,
    )
  );
}

function unreachable(flat: string, error: ProcessError): ToolError | undefined {
  if (/401 Unauthorized|403 Forbidden|status code 40[13]/i.test(flat)) {
    return new ToolError(
      "PACKAGE_UNAVAILABLE",
      "resolve the Python requirements: the index refused the credentials",
      {
        cause: error,
        hint: "put user and token into the index URL through the environment (UV_DEFAULT_INDEX), or into ~/.netrc",
      },
    );
  }
  if (!isNetworkError(error)) return undefined;
  const place = /Failed to fetch: `?(https?:[^\s`]+)/i.exec(flat)?.[1];
  return new ToolError(
    "PACKAGE_UNAVAILABLE",
    `resolve the Python requirements: ${place === undefined ? "the index" : `"${place}"`} cannot be reached`,
    {
      cause: error,
      hint: "check the network and the index URL, or give a folder of wheels with --find-links",
    },
  );
}

function unusable(text: string, cause: ProcessError): ToolError {
  const lines = text
    .split("\n")
    .map((line) => stripControls(line).trimEnd())
    .filter((line) => line.trim() !== "")
    .slice(-KEPT_LINES);
  const isConflict = /No solution found|conflict|unsatisfiable/i.test(text);
  const why = isConflict
    ? "no set of versions satisfies all of them"
    : "the resolver could not read or satisfy them";
  return new ToolError(
    "REQUIREMENTS_INVALID",
    `resolve the Python requirements: ${why}\n${lines.map((line) => `    ${line}`).join("\n")}`,
    {
      cause,
      hint: isConflict
        ? "loosen one of the versions named above"
        : "correct the requirement named above",
    },
  );
}
