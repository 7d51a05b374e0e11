/** Says whether a path, relative to the root and joined by `/`, stays out. */
export type Ignore = (path: string) => boolean;

/** What no image needs, at any depth, whatever the ignore file says; `!` in an ignore file brings a path back. */
export const DEFAULT_IGNORES: readonly string[] = [
  "**/.git",
  "**/.hg",
  "**/.svn",
  "**/__pycache__",
  "**/*.pyc",
  "**/.venv",
  "**/venv",
  "**/node_modules",
  ".slipwayignore",
  ".dockerignore",
  "slipway.yaml",
  "slipway-run.json",
  "**/.DS_Store",
  "**/.ipynb_checkpoints",
  "**/.pytest_cache",
  "**/.mypy_cache",
  "**/.ruff_cache",
  "**/.tox",
];

interface Rule {
  readonly pattern: RegExp;
  readonly isException: boolean;
}

/**
 * Compiles the lines of a `.dockerignore`: comments, `!` exceptions, `*`, `?`, `[…]` and `**`, the last matching line wins, and a line
 * that matches a folder matches all below it.
 * @see Docker documentation, "Building context / .dockerignore files"
 */
export function compileIgnore(lines: readonly string[]): Ignore {
  const rules = lines.flatMap((line) => ruleOf(line) ?? []);
  return (path) =>
    rules.reduce(
      (isIgnored, rule) => (rule.pattern.test(path) ? !rule.isException : isIgnored),
      false,
    );
}

/** True when some exception could bring back a path below an ignored folder, so that the folder must be walked. */
export function hasExceptions(lines: readonly string[]): boolean {
  return lines.some((line) => line.trim().startsWith("!"));
}

function ruleOf(line: string): Rule | undefined {
  const text = line.trim();
  if (text === "" || text.startsWith("#")) return undefined;
  const isException = text.startsWith("!");
  const parts = (isException ? text.slice(1) : text)
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (parts.length === 0) return undefined;
  return { isException, pattern: new RegExp(`^${partsToSource(parts)}(?:/.*)?$`, "su") };
}

function partsToSource(parts: readonly string[]): string {
  return parts
    .map((part, index) => {
      const isLast = index === parts.length - 1;
      if (part === "**") return isLast ? ".*" : "(?:.*/)?";
      return partToSource(part) + (isLast ? "" : "/");
    })
    .join("");
}

const PIECE = /\*\*|\*|\?|\[[^\]]+\]|\\.|[^]/gsu;

function partToSource(part: string): string {
  return (part.match(PIECE) ?? []).map(pieceToSource).join("");
}

function pieceToSource(piece: string): string {
  if (piece === "**") return ".*";
  if (piece === "*") return "[^/]*";
  if (piece === "?") return "[^/]";
  if (piece.length > 1 && piece.startsWith("["))
    return classToSource(piece.slice(1, -1).replaceAll("\\", "\\\\"));
  return escape(piece.length > 1 ? piece.slice(1) : piece);
}

function classToSource(body: string): string {
  return body.startsWith("^") || body.startsWith("!") ? `[^/${body.slice(1)}]` : `[${body}]`;
}

function escape(text: string): string {
  return text.replaceAll(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`);
}
