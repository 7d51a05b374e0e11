import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { OWN_RULES, type OwnRule } from "./own-secret-rules.ts";

/** Something like a secret in a text. */
interface TextFinding {
  /** 1-based. */
  readonly line: number;
  /** What it looks like. */
  readonly what: string;
}

/** Looks for secrets in text. Made once for many texts. */
export interface SecretScanner {
  /**
   * @param text - one character a byte, or UTF-16 whose other characters do not matter
   * @param path - where the text stands; some rules hold for some files only
   */
  scan(text: string, path: string): readonly TextFinding[];
}

/** The kept rules as they lie in the package. */
interface KeptRules {
  readonly allow: KeptAllowance;
  readonly rules: readonly KeptRule[];
}

interface KeptRule {
  readonly id: string;
  readonly pattern?: string;
  readonly path?: string;
  readonly entropy?: number;
  readonly group?: number;
  readonly keywords: readonly string[];
  readonly allow: readonly KeptAllowance[];
}

interface KeptAllowance {
  readonly isAnd?: boolean;
  readonly target?: string;
  readonly paths: readonly string[];
  readonly patterns: readonly string[];
  readonly stopwords: readonly string[];
}

/** A rule ready to be used; compiled when a keyword of it is met first. */
interface Rule {
  readonly what: string;
  readonly keywords: readonly string[];
  readonly entropy: number;
  readonly isOfPath: (path: string) => boolean;
  readonly pattern: () => RegExp;
  /** True when the name before a match belongs to it. */
  readonly hasName: boolean;
  readonly secretOf: (match: RegExpExecArray) => string;
  readonly isAllowed: (about: Hit) => boolean;
}

interface Hit {
  readonly secret: string;
  readonly match: string;
  readonly line: string;
  readonly path: string;
}

const RULES_FILE = join(import.meta.dirname, "../../../../rules/secrets.json");
/** How many kept rules begin: tried at every character, it costs more than all else, and it says nothing of the secret. */
const NAME_BEFORE = "[\\w.-]{0,50}?";
/** How far before a keyword a match may begin, and how far behind it may end. */
const [BEFORE, BEHIND] = [160, 6000];
/** Enough to refuse a file; more say nothing new. */
const MAX_FINDINGS = 50;

/** Kept rules that find too much in code and data of machine learning, or what a rule of our own finds better. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "aws-access-token",
  "pkcs12-file",
  "private-key",
  "curl-auth-user",
  "sidekiq-sensitive-url",
  "adobe-client-id",
]);

/** What stands in documents and examples in place of a secret. */
const PLACEHOLDER =
  /example|placeholder|change[-_]?me|replace[-_]?me|(?:^|[^a-z])your[-_]|insert|redacted|dummy|<|>|\$\{|\{\{|\*{3}|\.{3}|^(.)\1{5,}$|x{6,}|0{12,}|1234567890(?:abc|$)|deadbeef/i;

/** Reads the kept rules. They are compiled one by one as texts need them. */
export async function createSecretScanner(): Promise<SecretScanner> {
  const kept = JSON.parse(await readFile(RULES_FILE, "utf8")) as KeptRules; // our own file
  const global = allowance(kept.allow);
  const isSkipped = onePath(kept.allow.paths);
  const rules = [
    ...OWN_RULES.map(ownRule),
    ...kept.rules.filter(({ id }) => !LEFT_OUT.has(id)).map((rule) => keptRule(rule, global)),
  ];
  return {
    scan: (text, path) =>
      scan(
        rules.filter(({ isOfPath }) => isOfPath(path)),
        { text, path, isSkipped: isSkipped(path) },
      ),
  };
}

interface Scanned {
  readonly text: string;
  readonly path: string;
  /** True for files in which only our own rules look: locks, vendored code. */
  readonly isSkipped: boolean;
}

function scan(rules: readonly Rule[], { text, path, isSkipped }: Scanned): readonly TextFinding[] {
  const lower = text.toLowerCase();
  const found = new Map<number, string>();
  for (const rule of isSkipped ? rules.slice(0, OWN_RULES.length) : rules) {
    const at = firstMatch(rule, { text, lower, path });
    if (at === undefined) continue;
    const line = lineNumber(text, at);
    if (!found.has(line)) found.set(line, rule.what);
    if (found.size >= MAX_FINDINGS) break;
  }
  return [...found].sort(([one], [other]) => one - other).map(([line, what]) => ({ line, what }));
}

/** Where the first secret of a rule begins. Only stretches around keywords are looked at, so that long texts cost little. */
function firstMatch(
  rule: Rule,
  { text, lower, path }: { readonly text: string; readonly lower: string; readonly path: string },
): number | undefined {
  for (const [start, end] of stretches(rule.keywords, lower)) {
    const part = text.slice(start, end);
    for (const match of part.matchAll(rule.pattern())) {
      const secret = rule.secretOf(match);
      const at = start + match.index;
      if (entropyOf(secret) < rule.entropy) continue;
      const name = rule.hasName
        ? (/[\w.-]{1,50}$/.exec(text.slice(Math.max(0, at - 50), at))?.[0] ?? "")
        : "";
      const whole = `${name}${match[0]}`;
      if (!rule.isAllowed({ secret, match: whole, line: lineAt(text, at), path })) return at;
    }
  }
  return undefined;
}

/** Stretches around the places of any keyword, joined where they meet. */
function* stretches(
  keywords: readonly string[],
  lower: string,
): Generator<readonly [start: number, end: number]> {
  let open: [number, number] | undefined;
  for (const at of placesOf(keywords, lower)) {
    const [start, end] = [Math.max(0, at - BEFORE), Math.min(lower.length, at + BEHIND)];
    if (open !== undefined && start <= open[1]) {
      open[1] = end;
      continue;
    }
    if (open !== undefined) yield open;
    open = [start, end];
  }
  if (open !== undefined) yield open;
}

function placesOf(keywords: readonly string[], lower: string): readonly number[] {
  const places: number[] = [];
  for (const keyword of keywords)
    for (let at = lower.indexOf(keyword); at >= 0; at = lower.indexOf(keyword, at + keyword.length))
      places.push(at);
  return places.sort((one, other) => one - other);
}

function ownRule({ what, keywords, pattern, entropy = 0 }: OwnRule): Rule {
  const global = new RegExp(pattern, `${pattern.flags}g`);
  return {
    what,
    keywords,
    entropy,
    isOfPath: () => true,
    pattern: () => global,
    hasName: false,
    secretOf: (match) => match[1] ?? match[0],
    isAllowed: ({ secret }) => PLACEHOLDER.test(secret) && !/^-----BEGIN/.test(secret),
  };
}

function keptRule(rule: KeptRule, isAllowedAnywhere: (about: Hit) => boolean): Rule {
  const { id, keywords, entropy = 0, group, path } = rule;
  let compiled: RegExp | undefined;
  const allowed = rule.allow.map(allowance);
  return {
    what: `a secret (${id})`,
    keywords: keywords.map((keyword) => keyword.toLowerCase()),
    entropy,
    isOfPath: path === undefined ? () => rule.pattern !== undefined : onePath([path]),
    pattern: () =>
      (compiled ??= new RegExp((rule.pattern ?? "(?!)").replace(NAME_BEFORE, ""), "g")),
    hasName: rule.pattern?.startsWith(NAME_BEFORE) === true,
    secretOf: (match) =>
      (group === undefined ? match.slice(1).find(Boolean) : match[group]) ?? match[0],
    isAllowed: (about) =>
      PLACEHOLDER.test(about.secret) ||
      (id === "generic-api-key" && !isKeyLike(about)) ||
      isAllowedAnywhere(about) ||
      allowed.some((isAllowed) => isAllowed(about)),
  };
}

/** Names of layers, models and columns stand where keys could: a key is one run of letters and digits. */
function isKeyLike({ secret, match }: Hit): boolean {
  const least = /passw/i.test(match) ? 10 : 16;
  return secret
    .split(/[^A-Za-z0-9+/]/)
    .some((run) => run.length >= least && /\d/.test(run) && /[A-Za-z]/.test(run));
}

function onePath(patterns: readonly string[]): (path: string) => boolean {
  const compiled = patterns.map((pattern) => new RegExp(pattern));
  return (path) => compiled.some((pattern) => pattern.test(path));
}

/** Says whether what a rule found is none after all. */
function allowance(kept: KeptAllowance): (about: Hit) => boolean {
  const { isAnd = false, target = "secret", stopwords } = kept;
  let compiled: readonly RegExp[] | undefined;
  const isPath = onePath(kept.paths);
  return (about) => {
    compiled ??= kept.patterns.map((pattern) => new RegExp(pattern));
    const text = target === "line" ? about.line : target === "match" ? about.match : about.secret;
    const secret = about.secret.toLowerCase();
    const checks = [
      ...(kept.paths.length > 0 ? [isPath(about.path)] : []),
      ...(compiled.length > 0 ? [compiled.some((pattern) => pattern.test(text))] : []),
      ...(stopwords.length > 0 ? [stopwords.some((word) => secret.includes(word))] : []),
    ];
    return checks.length > 0 && (isAnd ? checks.every(Boolean) : checks.some(Boolean));
  };
}

/** Shannon entropy in bits a character. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / text.length;
    return sum - share * Math.log2(share);
  }, 0);
}

function lineNumber(text: string, at: number): number {
  let line = 1;
  for (let next = text.indexOf("\n"); next >= 0 && next < at; next = text.indexOf("\n", next + 1))
    line += 1;
  return line;
}

/** The line around a place, cut to what a rule may look at. */
function lineAt(text: string, at: number): string {
  const start = text.lastIndexOf("\n", at) + 1;
  const end = text.indexOf("\n", at);
  return text.slice(Math.max(start, at - 1000), Math.min(end < 0 ? text.length : end, at + 1000));
}
