import { createHash } from "node:crypto";
import { ToolError } from "../../../ground/errors/index.ts";

/** What a key lets its holder do: ask models, or load and unload them and change settings. */
export type Scope = "infer" | "manage";

/** A key as it was configured, without the key itself. */
export interface ApiKey {
  /** Shown in metrics and errors. */
  readonly name: string;
  /** SHA-256 of the key, 32 bytes. */
  readonly digest: Buffer;
  readonly scopes: ReadonlySet<Scope>;
  /** Absent for a key without a limit. */
  readonly rate?: Rate;
}

/** Requests that are let through: so many at once, and then so many a second. */
export interface Rate {
  readonly perSecond: number;
  /** At least 1. */
  readonly burst: number;
}

const MAX_KEYS = 1000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const HASHED = /^sha256:([0-9a-f]{64})$/i;
/** Shorter ones can be guessed. */
const LEAST_CHARACTERS = 16;
/** What may stand in a header as it is. */
const PLAIN = /^[\x21-\x7e]+$/;
const RATE = /^(\d{1,9}(?:\.\d{1,6})?)\/([smh])$/;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const SCOPES: readonly Scope[] = ["infer", "manage"];

/**
 * Reads keys, one a line: `NAME KEY [scopes=infer,manage] [rate=100/s] [burst=200]`. KEY is the key, of 16 characters or more, or
 * `sha256:` and the 64 hex digits of its SHA-256. Empty lines and those that begin with `#` say nothing. No error shows a key.
 * @param place - what is read, for errors
 * @throws ToolError `USAGE` that names the line; also for no keys at all
 */
export function parseKeys(text: string, place: string): readonly ApiKey[] {
  const keys: ApiKey[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === "" || words[0]?.startsWith("#")) continue;
    const fault = (why: string): ToolError =>
      new ToolError("USAGE", `read the API keys of ${place}, line ${index + 1}: ${why}`, {
        hint: "a line is: NAME KEY [scopes=infer,manage] [rate=100/s] [burst=200]",
      });
    const key = parseKey(words, fault);
    if (keys.some(({ name }) => name === key.name)) throw fault(`"${key.name}" is there twice`);
    if (keys.some(({ digest }) => digest.equals(key.digest)))
      throw fault(`the key of "${key.name}" is another one's too`);
    if (keys.push(key) > MAX_KEYS) throw fault(`there are more than ${MAX_KEYS} keys`);
  }
  if (keys.length === 0)
    throw new ToolError("USAGE", `read the API keys of ${place}: there is none`, {
      hint: "name one, or leave the setting out",
    });
  return keys;
}

type Fault = (why: string) => ToolError;

function parseKey([name = "", secret = "", ...options]: readonly string[], fault: Fault): ApiKey {
  if (!NAME.test(name)) throw fault("the name is not of letters, digits, dots and dashes");
  const said = new Map<string, string>();
  for (const option of options) {
    const [, key = "", value = ""] = /^(scopes|rate|burst)=(.+)$/.exec(option) ?? [];
    if (key === "" || said.has(key))
      throw fault(`behind the key of "${name}" stands what is no option, or one twice`);
    said.set(key, value);
  }
  const rate = parseRate(said, fault);
  return {
    name,
    digest: digestIn(secret, name, fault),
    scopes: parseScopes(said.get("scopes") ?? "infer", fault),
    ...(rate !== undefined && { rate }),
  };
}

function digestIn(secret: string, name: string, fault: Fault): Buffer {
  const hashed = HASHED.exec(secret)?.[1];
  if (hashed !== undefined) return Buffer.from(hashed, "hex");
  if (secret.startsWith("sha256:")) throw fault(`the key of "${name}" is no SHA-256`);
  if (secret.length < LEAST_CHARACTERS || !PLAIN.test(secret))
    throw fault(
      `the key of "${name}" is not ${LEAST_CHARACTERS} or more characters of printable ASCII`,
    );
  return digestOf(secret);
}

/** SHA-256 of a key. */
export function digestOf(key: string): Buffer {
  return createHash("sha256").update(key, "latin1").digest();
}

function parseScopes(text: string, fault: Fault): ReadonlySet<Scope> {
  const scopes = text.split(",").map((word) => SCOPES.find((scope) => scope === word));
  if (scopes.includes(undefined)) throw fault(`scopes are ${SCOPES.join(" and ")}`);
  return new Set(scopes.filter((scope) => scope !== undefined));
}

function parseRate(said: ReadonlyMap<string, string>, fault: Fault): Rate | undefined {
  const [rate, burst] = [said.get("rate"), said.get("burst")];
  if (rate === undefined) {
    if (burst !== undefined) throw fault("there is a burst without a rate");
    return undefined;
  }
  const [, count = "", unit = ""] = RATE.exec(rate) ?? [];
  const perSecond = Number(count) / (SECONDS[unit] ?? Number.NaN);
  if (!(perSecond > 0)) throw fault("a rate is a number and /s, /m or /h");
  if (burst !== undefined && !/^[1-9]\d{0,8}$/.test(burst)) throw fault("a burst is 1 or more");
  return {
    perSecond,
    burst: burst === undefined ? Math.max(1, Math.ceil(perSecond)) : Number(burst),
  };
}
