import { ContentError, ProjectError } from "../../ground/errors/index.ts";
import type { LockedWheel } from "./contracts.ts";
import { normalizeName, parseWheelName } from "./wheel-name.ts";

/** Hashes that requirements state for packages. */
export interface StatedHashes {
  /** Normalised name → hashes such as `sha256:…`, as written; a wheel must have one of them. */
  readonly stated: ReadonlyMap<string, ReadonlySet<string>>;
  /** True when every package must have a stated hash: `--require-hashes`. */
  readonly areRequired: boolean;
}

/** The same while requirements are read. */
export interface HashNotes {
  readonly stated: Map<string, Set<string>>;
  areRequired: boolean;
}

/** Nothing noted yet. */
export function createHashNotes(): HashNotes {
  return { stated: new Map(), areRequired: false };
}

/** Notes the hashes of one requirement: `--hash=sha256:…`, and `#sha256=…` behind an address. */
export function noteHashes(line: string, notes: HashNotes): void {
  const stated = [...line.matchAll(/--hash(?:=|\s+)(\S+)/g)].map((match) => match[1] ?? "");
  const fragment = /#(?:[^\s]*&)?sha256=([0-9a-fA-F]+)/.exec(line)?.[1];
  if (fragment !== undefined) stated.push(`sha256:${fragment}`);
  const name = requiredName(line);
  if (stated.length === 0 || name === undefined) return;
  const known = notes.stated.get(name) ?? [];
  notes.stated.set(name, new Set([...known, ...stated.map((hash) => hash.toLowerCase())]));
}

/**
 * Holds chosen wheels against what the requirements state.
 * @throws ContentError `DIGEST_MISMATCH` for a wheel that has none of the hashes stated for it; ProjectError
 * `REQUIREMENTS_INVALID` for one whose hashes are of other kinds, and for one without where all must have one.
 */
export function checkStatedHashes(
  wheels: readonly LockedWheel[],
  { stated, areRequired }: StatedHashes,
): void {
  for (const wheel of wheels) {
    const allowed = stated.get(wheel.name);
    if (allowed !== undefined) checkHash(wheel, allowed);
    else if (areRequired)
      throw new ProjectError(
        "REQUIREMENTS_INVALID",
        `check the hash of "${wheel.name}" ${wheel.version}: --require-hashes is set, and the requirements state none for it`,
        {
          hint: `add \`${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\` if that is what you want`,
        },
      );
  }
}

function checkHash(
  { name, version, fileName, sha256 }: LockedWheel,
  allowed: ReadonlySet<string>,
): void {
  const actual = `sha256:${sha256}`;
  if (allowed.has(actual)) return;
  if (![...allowed].some((hash) => hash.startsWith("sha256:")))
    throw new ProjectError(
      "REQUIREMENTS_INVALID",
      `check the hash of "${name}" ${version}: it is stated as ${[...allowed].join(", ").slice(0, 200)}, which cannot be checked`,
      { hint: "state sha256 too, as `pip hash` prints it" },
    );
  throw new ContentError(
    "DIGEST_MISMATCH",
    `check the hash of "${name}" ${version}: "${fileName}" is not what the requirements state`,
    {
      expected: [...allowed].join(" or "),
      actual,
      hint: "the file was changed, or the hash is of another file of this version: check both before you trust it",
    },
  );
}

function requiredName(line: string): string | undefined {
  const wheel = /(?:^|[\s/@])([^\s/@#;]+\.whl)/.exec(line)?.[1];
  const named = /^([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\]\s*)?(?:[=<>!~;@\s]|$)/.exec(
    line,
  )?.[1];
  if (named !== undefined && !named.endsWith(".whl")) return normalizeName(named);
  return wheel === undefined ? undefined : parseWheelName(decodeURIComponent(wheel)).name;
}
