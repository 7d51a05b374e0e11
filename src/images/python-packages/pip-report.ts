import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { ToolError } from "../../ground/errors/index.ts";
import type { LockedWheel } from "./contracts.ts";
import { normalizeName } from "./wheel-name.ts";

/**
 * Reads what `pip install --dry-run --report -` prints.
 * @throws ToolError `REQUIREMENTS_INVALID` for text that is no such report; `REQUIREMENT_WITHOUT_WHEEL` for an sdist or folder.
 * @see pip documentation, "Installation Report"
 */
export function parsePipReport(text: string): readonly LockedWheel[] {
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch (error) {
    throw invalidReport("it is not JSON", error);
  }
  const items = (report as { readonly install?: unknown } | null)?.install;
  if (!Array.isArray(items)) throw invalidReport('"install" is not a list');
  return items.map(parseItem).toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

interface Item {
  readonly metadata?: { readonly name?: unknown; readonly version?: unknown };
  readonly download_info?: {
    readonly url?: unknown;
    readonly archive_info?: {
      readonly hash?: unknown;
      readonly hashes?: { readonly sha256?: unknown };
    };
  };
  readonly is_direct?: unknown;
}

function parseItem(value: unknown): LockedWheel {
  const { metadata, download_info: download, is_direct: isDirect } = (value ?? {}) as Item;
  const [name, version, url] = [metadata?.name, metadata?.version, download?.url].map((field) =>
    typeof field === "string" ? field : undefined,
  );
  if (name === undefined || version === undefined || url === undefined || !URL.canParse(url))
    throw invalidReport("an entry has no name, version or URL");
  const fileName = decodeURIComponent(basename(new URL(url).pathname));
  if (!fileName.endsWith(".whl")) throw withoutWheel(name, version);
  const direct =
    isDirect === true ? { direct: url.startsWith("file:") ? fileURLToPath(url) : url } : {};
  return {
    name: normalizeName(name),
    version,
    fileName,
    sha256: hashOf(download, name),
    ...direct,
  };
}

function hashOf(download: Item["download_info"], name: string): string {
  const { hash, hashes } = download?.archive_info ?? {};
  const sha256 =
    hashes?.sha256 ?? (typeof hash === "string" ? hash.replace(/^sha256=/, "") : undefined);
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256))
    throw invalidReport(`the wheel of "${name}" has no sha256`);
  return sha256;
}

function withoutWheel(name: string, version: string): ToolError {
  return new ToolError(
    "REQUIREMENT_WITHOUT_WHEEL",
    `resolve "${normalizeName(name)}" ${version}: there is no wheel of it, only sources`,
    {
      hint: "build one with `pip wheel` and add --find-links",
    },
  );
}

function invalidReport(why: string, cause?: unknown): ToolError {
  return new ToolError("REQUIREMENTS_INVALID", `read pip's report: ${why}`, { cause });
}
