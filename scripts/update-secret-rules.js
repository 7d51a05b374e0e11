/**
 * Writes rules/secrets.json from gitleaks' own rules: `node scripts/update-secret-rules.js [VERSION]`. Needs Go, which fetches the
 * module. RE2 patterns become patterns of JavaScript without flags, so that every supported Node reads them.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";

const MODULE = "github.com/zricethezav/gitleaks/v8";
const version = process.argv[2] ?? "v8.30.1";
const root = join(import.meta.dirname, "..");

const folder = download(`${MODULE}@${version}`);
const config = parse(readFileSync(join(folder, "config/gitleaks.toml"), "utf8"));
const rules = config.rules.map((rule) => ({
  id: rule.id,
  ...(rule.regex === undefined ? {} : { pattern: toJavaScript(rule.regex) }),
  ...(rule.path === undefined ? {} : { path: toJavaScript(rule.path) }),
  ...(rule.entropy === undefined ? {} : { entropy: rule.entropy }),
  ...(rule.secretGroup === undefined ? {} : { group: rule.secretGroup }),
  keywords: rule.keywords ?? [],
  allow: (rule.allowlists ?? []).map(allowlist),
}));
const data = {
  source: `gitleaks ${version}, MIT licence: see gitleaks.LICENSE`,
  allow: allowlist(config.allowlist),
  rules,
};
writeFileSync(join(root, "rules/secrets.json"), `${JSON.stringify(data, null, 1)}\n`);
writeFileSync(join(root, "rules/gitleaks.LICENSE"), readFileSync(join(folder, "LICENSE"), "utf8"));
console.log(`${rules.length} rules of gitleaks ${version}`);

function download(module) {
  const place = mkdtempSync(join(tmpdir(), "slipway-rules-"));
  try {
    writeFileSync(join(place, "go.mod"), "module none\n\ngo 1.22\n");
    const answer = execFileSync("go", ["mod", "download", "-json", module], { cwd: place });
    return JSON.parse(answer.toString("utf8")).Dir;
  } finally {
    rmSync(place, { recursive: true });
  }
}

function allowlist({ condition, regexTarget, paths = [], regexes = [], stopwords = [] }) {
  return {
    ...(condition === "AND" ? { isAnd: true } : {}),
    ...(regexTarget === undefined ? {} : { target: regexTarget }),
    paths: paths.map(toJavaScript),
    patterns: regexes.map(toJavaScript),
    stopwords,
  };
}

/** Writes case and dot-all flags out, since JavaScript has them for a whole pattern only. */
function toJavaScript(source) {
  const reader = { source, at: 0 };
  const written = alternatives(reader, { i: false, s: false });
  if (reader.at !== source.length) throw new Error(`not read to its end: ${source}`);
  new RegExp(written);
  return written;
}

/** Everything up to the end or the closing bracket of a group. */
function alternatives(reader, outer) {
  const flags = { ...outer };
  let written = "";
  while (reader.at < reader.source.length && reader.source[reader.at] !== ")") {
    const rest = reader.source.slice(reader.at);
    const inline = /^\(\?([is]*)(?:-([is]+))?\)/.exec(rest);
    if (inline !== null) {
      setFlags(flags, inline);
      reader.at += inline[0].length;
    } else if (rest.startsWith("(")) written += group(reader, flags, rest);
    else if (rest.startsWith("[")) written += characterClass(reader, flags, rest);
    else if (rest.startsWith("\\")) written += escaped(reader, flags, rest);
    else {
      written += literal(rest[0], flags);
      reader.at += 1;
    }
  }
  return written;
}

function setFlags(flags, [, on = "", off = ""]) {
  for (const flag of on) flags[flag] = true;
  for (const flag of off) flags[flag] = false;
}

function group(reader, outer, rest) {
  const flags = { ...outer };
  const head = /^\(\?P?<(\w+)>|^\(\?([is]*)(?:-([is]+))?:|^\(/.exec(rest);
  let open = head[0];
  if (/^\(\?[is-]*:/.test(open)) {
    setFlags(flags, ["", head[2], head[3]]);
    open = "(?:";
  } else if (open !== "(") open = "(";
  reader.at += head[0].length;
  const inner = alternatives(reader, flags);
  if (reader.source[reader.at] !== ")") throw new Error(`a group is open: ${reader.source}`);
  reader.at += 1;
  return `${open}${inner})`;
}

function characterClass(reader, { i }, rest) {
  const match = /^\[(\^?)(\]?(?:\[:\w+:\]|\\x\{[^}]*\}|\\.|[^\]\\])*)\]/s.exec(rest);
  reader.at += match[0].length;
  const body = match[2]
    .replaceAll("[:alnum:]", "A-Za-z0-9")
    .replaceAll(/^\]/g, "\\]")
    .replaceAll("[", "\\[");
  return `[${match[1]}${i ? bothCases(body) : body}]`;
}

/** A class of letters in both cases: ranges and single letters again in the other. */
function bothCases(body) {
  const tokens = body.match(/\\x[0-9a-fA-F]{2}|\\.|.-(?:\\.|.)|./gs) ?? [];
  const more = tokens
    .filter((token) => /^(?:[a-zA-Z]|[a-z]-[a-z]|[A-Z]-[A-Z])$/.test(token))
    .map((token) => (token === token.toLowerCase() ? token.toUpperCase() : token.toLowerCase()))
    .filter((token) => !tokens.includes(token));
  return `${more.join("")}${body}`;
}

function escaped(reader, flags, rest) {
  const [token] = /^\\(?:x[0-9a-fA-F]{2}|.)/s.exec(rest);
  reader.at += token.length;
  if (token === "\\z") return "(?![^])";
  if (token === "\\A") return "(?<![^])";
  if (/^\\[QECpP]$/.test(token)) throw new Error(`"${token}" is not translated`);
  return token;
}

function literal(character, { i, s }) {
  if (character === "." && s) return "[^]";
  if (!i || !/[a-zA-Z]/.test(character)) return character;
  return `[${character.toLowerCase()}${character.toUpperCase()}]`;
}
