import type {
  ArgInstruction,
  CopyInstruction,
  FromInstruction,
  Instruction,
  OnbuildInstruction,
  Pair,
} from "./instruction.ts";
import { commandOf, jsonList } from "./command-line.ts";
import { heredocWord } from "./heredoc.ts";
import { readFlags } from "./instruction-flags.ts";
import type { RawInstruction } from "./parse-lines.ts";
import { parseHealthcheck } from "./parse-healthcheck.ts";
import { nearestName } from "../../../models/description/index.ts";
import { dockerfileError } from "./place.ts";
import { splitWords } from "./split-words.ts";
import { splitBlanks, trimSpace } from "./white-space.ts";

/**
 * Reads an instruction's arguments. Variables are not looked at.
 * @param escape - the escape character of the file
 * @throws ProjectError `DOCKERFILE_INVALID` with the instruction's line and column.
 * @see BuildKit, frontend/dockerfile/instructions/parse.go
 */
export function parseInstruction(raw: RawInstruction, escape: string): Instruction {
  const keyword = raw.keyword.toUpperCase();
  const parse = Object.hasOwn(PARSERS, keyword) ? PARSERS[keyword] : undefined;
  if (parse === undefined)
    throw dockerfileError(raw.place, `unknown instruction: ${raw.keyword}`, {
      hint: hintFor(keyword),
    });
  return parse(raw, escape);
}

type Parser = (raw: RawInstruction, escape: string) => Instruction;

const PARSERS: Readonly<Record<string, Parser>> = {
  FROM: parseFrom,
  ARG: parseArg,
  ENV: (raw, escape) => ({ ...common(raw), kind: "ENV", pairs: parsePairs(raw, escape) }),
  LABEL: (raw, escape) => ({ ...common(raw), kind: "LABEL", pairs: parsePairs(raw, escape) }),
  COPY: parseCopy,
  ADD: parseCopy,
  RUN: (raw) => {
    jsonList(raw, raw.rest);
    return {
      ...common(raw),
      kind: "RUN",
      flags: raw.flags,
      heredocs: raw.heredocs,
      rest: raw.rest,
    };
  },
  CMD: (raw) => ({ ...plain(raw), kind: "CMD", command: commandOf(raw, raw.rest) }),
  ENTRYPOINT: (raw) => ({ ...plain(raw), kind: "ENTRYPOINT", command: commandOf(raw, raw.rest) }),
  HEALTHCHECK: parseHealthcheck,
  MAINTAINER: (raw) => ({ ...plain(raw), kind: "MAINTAINER", value: oneArgument(raw) }),
  WORKDIR: (raw) => ({ ...plain(raw), kind: "WORKDIR", value: oneArgument(raw) }),
  USER: (raw) => ({ ...plain(raw), kind: "USER", value: oneArgument(raw) }),
  STOPSIGNAL: (raw) => ({ ...common(raw), kind: "STOPSIGNAL", value: oneArgument(raw) }),
  EXPOSE: (raw) => ({ ...plain(raw), kind: "EXPOSE", values: someArguments(raw) }),
  VOLUME: (raw) => ({ ...plain(raw), kind: "VOLUME", values: volumes(raw) }),
  SHELL: (raw) => ({ ...plain(raw), kind: "SHELL", values: shellWords(raw) }),
  ONBUILD: parseOnbuild,
};

function common({ place, text }: RawInstruction): { place: RawInstruction["place"]; text: string } {
  return { place, text };
}

/** An instruction without flags. */
function plain(raw: RawInstruction): ReturnType<typeof common> {
  readFlags(raw, {});
  return common(raw);
}

function wrong({ place, keyword }: RawInstruction, why: string, hint?: string): Error {
  return dockerfileError(
    place,
    `${keyword.toUpperCase()}: ${why}`,
    hint === undefined ? {} : { hint },
  );
}

function parseFrom(raw: RawInstruction): FromInstruction {
  const words = raw.rest === "" ? [] : splitBlanks(raw.rest);
  const [base = "", as = "", name] = words;
  if (words.length !== 1 && (words.length !== 3 || as.toLowerCase() !== "as"))
    throw wrong(
      raw,
      "FROM requires either one or three arguments",
      "write FROM IMAGE, or FROM IMAGE AS NAME",
    );
  if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(name.toLowerCase()))
    throw wrong(
      raw,
      `invalid name for build stage: "${name}", name can't start with a number or contain symbols`,
    );
  const flags = readFlags(raw, { platform: "text" });
  return {
    ...common(raw),
    kind: "FROM",
    base,
    platform: flags.get("platform")?.[0] ?? undefined,
    name: name?.toLowerCase(),
  };
}

function parseArg(raw: RawInstruction, escape: string): ArgInstruction {
  const words = splitWords(raw.rest, escape);
  if (words.length === 0) throw wrong(raw, "ARG requires at least one argument");
  return {
    ...common(raw),
    kind: "ARG",
    args: words.map((word) => {
      const sign = word.indexOf("=");
      if (sign === 0) throw wrong(raw, "ARG names can not be blank");
      return sign < 0
        ? { name: word, value: undefined }
        : { name: word.slice(0, sign), value: word.slice(sign + 1) };
    }),
  };
}

/** `NAME=value …`, or the older `NAME value`. */
function parsePairs(raw: RawInstruction, escape: string): readonly Pair[] {
  const keyword = raw.keyword.toUpperCase();
  const words = splitWords(raw.rest, escape);
  const [first] = words;
  readFlags(raw, {});
  if (first === undefined) throw wrong(raw, `${keyword} requires at least one argument`);
  if (!first.includes("=")) {
    const [name = "", value] = splitBlanks(raw.rest, 2);
    if (value === undefined) throw wrong(raw, `${keyword} must have two arguments`);
    return [{ name, value }];
  }
  return words.map((word) => {
    const sign = word.indexOf("=");
    if (sign < 0)
      throw wrong(
        raw,
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    if (sign === 0) throw wrong(raw, `${keyword} names can not be blank`);
    return { name: word.slice(0, sign), value: word.slice(sign + 1) };
  });
}

const COPY_FLAGS = {
  chown: "text",
  chmod: "text",
  link: "flag",
  exclude: "texts",
} as const;

function parseCopy(raw: RawInstruction): CopyInstruction {
  const kind = raw.keyword.toUpperCase() === "ADD" ? "ADD" : "COPY";
  const { sources, target } = sourcesAndTarget(raw, kind);
  const flags = readFlags(
    raw,
    kind === "COPY"
      ? { ...COPY_FLAGS, from: "text", parents: "flag" }
      : { ...COPY_FLAGS, "keep-git-dir": "flag", checksum: "text", unpack: "flag" },
  );
  if (heredocWord(target) !== undefined)
    throw wrong(raw, `${kind} cannot accept a heredoc as a destination`);
  const text = (name: string): string => flags.get(name)?.[0] ?? "";
  return {
    ...common(raw),
    kind,
    sources,
    heredocs: raw.heredocs,
    target,
    from: text("from") === "" ? undefined : text("from"),
    chown: text("chown"),
    chmod: text("chmod"),
    isLinked: text("link") === "true",
    keepsParents: text("parents") === "true",
    excludes: flags.get("exclude") ?? [],
    unpacks: flags.has("unpack") ? text("unpack") === "true" : undefined,
    isForFetched: flags.has("checksum") || flags.has("keep-git-dir"),
  };
}

function sourcesAndTarget(
  raw: RawInstruction,
  kind: string,
): { readonly sources: readonly string[]; readonly target: string } {
  const words = jsonList(raw, raw.rest) ?? (raw.rest === "" ? [] : splitBlanks(raw.rest));
  const target = words.at(-1);
  if (target === undefined || words.length < 2)
    throw wrong(
      raw,
      `${kind} requires at least two arguments, but only ${words.length === 1 ? "one" : "none"} was provided. Destination could not be determined`,
    );
  return { sources: words.slice(0, -1), target };
}

function oneArgument(raw: RawInstruction): string {
  if (raw.rest === "")
    throw wrong(raw, `${raw.keyword.toUpperCase()} requires exactly one argument`);
  return raw.rest;
}

function someArguments(raw: RawInstruction): readonly string[] {
  if (raw.rest === "")
    throw wrong(raw, `${raw.keyword.toUpperCase()} requires at least one argument`);
  return splitBlanks(raw.rest);
}

function volumes(raw: RawInstruction): readonly string[] {
  const words = (jsonList(raw, raw.rest) ?? someArguments(raw)).map(trimSpace);
  if (words.length === 0) throw wrong(raw, "VOLUME requires at least one argument");
  if (words.includes("")) throw wrong(raw, "VOLUME specified can not be an empty string");
  return words;
}

function shellWords(raw: RawInstruction): readonly string[] {
  if (raw.rest === "") throw wrong(raw, "SHELL requires at least one argument");
  const words = jsonList(raw, raw.rest);
  if (words === undefined)
    throw wrong(raw, `SHELL requires the arguments to be in JSON form: ${raw.text}`);
  if (words.length === 0) throw wrong(raw, "SHELL requires at least one argument");
  return words;
}

function parseOnbuild(raw: RawInstruction, escape: string): OnbuildInstruction {
  const [first = "", rest = ""] = splitBlanks(raw.rest, 2);
  if (first === "") throw wrong(raw, "ONBUILD requires at least one argument");
  readFlags(raw, {});
  const inner = first.toUpperCase();
  if (inner === "ONBUILD") throw wrong(raw, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (inner === "MAINTAINER" || inner === "FROM")
    throw wrong(raw, `${inner} isn't allowed as an ONBUILD trigger`);
  checkTrigger({ raw, keyword: first, rest, escape });
  const text = raw.text.replace(/^\s*ONBUILD\s*/i, "");
  return {
    ...common(raw),
    kind: "ONBUILD",
    trigger: text + raw.heredocs.map(({ content, name }) => `\n${content}${name}`).join(""),
  };
}

/** A list of something else than texts is refused now; everything else is the concern of the image built on this one. */
function checkTrigger(trigger: {
  readonly raw: RawInstruction;
  readonly keyword: string;
  readonly rest: string;
  readonly escape: string;
}): void {
  if (
    ["ADD", "COPY", "RUN", "CMD", "ENTRYPOINT", "SHELL", "VOLUME"].includes(
      trigger.keyword.toUpperCase(),
    )
  )
    jsonList(trigger.raw, trigger.rest);
}

function hintFor(keyword: string): string {
  const near = nearestName(keyword, Object.keys(PARSERS));
  return near === undefined
    ? `use one of ${Object.keys(PARSERS).join(", ")}`
    : `did you mean ${near.toUpperCase()}?`;
}
