import type { RawInstruction } from "./parse-lines.ts";
import { dockerfileError } from "./place.ts";

/** What flags of an instruction take: text, several texts, or true and false. */
export type FlagTable = Readonly<Record<string, "text" | "texts" | "flag">>;

/** Values by flag name; a flag that was not given has no entry. */
export type FlagValues = ReadonlyMap<string, readonly string[]>;

/**
 * Reads an instruction's flags.
 * @throws ProjectError `DOCKERFILE_INVALID` for one that the instruction does not have, that comes twice, or whose value is missing.
 */
export function readFlags(instruction: RawInstruction, table: FlagTable): FlagValues {
  const values = new Map<string, readonly string[]>();
  for (const word of instruction.flags) {
    const [, name = "", hasValue, value = ""] = /^--([^=]*)(=)?(.*)$/s.exec(word) ?? [];
    const type = Object.hasOwn(table, name) ? table[name] : undefined;
    if (type === undefined) throw wrong(instruction, `unknown flag: --${name}`, table);
    if (values.has(name) && type !== "texts")
      throw wrong(instruction, `duplicate flag specified: --${name}`);
    const read = type === "flag" ? truth : given;
    values.set(name, [...(values.get(name) ?? []), read(instruction, { name, value, hasValue })]);
  }
  return values;
}

interface WrittenFlag {
  readonly name: string;
  readonly value: string;
  /** The equals sign. */
  readonly hasValue: string | undefined;
}

function given(instruction: RawInstruction, { name, value, hasValue }: WrittenFlag): string {
  if (hasValue === undefined) throw wrong(instruction, `missing a value on flag: --${name}`);
  return value;
}

function truth(instruction: RawInstruction, flag: WrittenFlag): string {
  if (flag.hasValue === undefined) return "true";
  if (flag.value === "") throw wrong(instruction, `missing a value on flag: --${flag.name}`);
  const value = flag.value.toLowerCase();
  if (value !== "true" && value !== "false")
    throw wrong(instruction, `expecting boolean value for flag --${flag.name}, not: ${flag.value}`);
  return value;
}

function wrong({ place, keyword }: RawInstruction, why: string, table?: FlagTable): Error {
  const known = Object.keys(table ?? {}).map((name) => `--${name}`);
  return dockerfileError(place, `${keyword.toUpperCase()}: ${why}`, {
    ...(table === undefined
      ? {}
      : { hint: known.length === 0 ? "remove it" : `use ${known.join(", ")}` }),
  });
}
