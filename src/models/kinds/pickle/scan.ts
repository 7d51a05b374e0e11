import { CutError, type PickleInput } from "./input.ts";
import { Machine, STEPS, type Argument } from "./machine.ts";
import { OPCODES, type ArgumentForm, type Opcode } from "./opcodes.ts";
import { PickleError } from "./pickle-error.ts";
import {
  attributeOf,
  classOf,
  GlobalName,
  Made,
  OutsideArray,
  type PickleValue,
} from "./values.ts";

/** What walking over a pickle gathers. */
export interface Scan {
  /** The object that loading would give, as far as it was followed. */
  readonly root: PickleValue;
  readonly protocol: number;
  /** Everything that loading would import, in the order in which it comes first. */
  readonly globals: readonly GlobalName[];
  /** True when arrays stand in the file beside the pickle, as joblib writes them. */
  readonly hasOutsideArrays: boolean;
  /** False when the content was too long to be followed to its end. */
  readonly isWhole: boolean;
}

export interface ScanOptions {
  readonly signal?: AbortSignal | undefined;
  /** Ends the walk when it says true of what was named so far. */
  readonly until?:
    | ((globals: ReadonlyMap<string, GlobalName>, machine: Machine) => boolean)
    | undefined;
}

const MAX_STEPS = 5_000_000;
const MAX_LINE_BYTES = 64 * 1024;
const MAX_KEPT_BYTES = 4096;
const SHORT_TEXT_BYTES = 64;
const MAX_KEPT_IN_ALL = 24 * 2 ** 20;
const MAX_NESTED = 4;

/** What is shared by a pickle and those inside it. */
interface Walk extends ScanOptions {
  readonly input: PickleInput;
  readonly globals: Map<string, GlobalName>;
  steps: number;
  keptBytes: number;
  hasOutsideArrays: boolean;
}

/**
 * Walks over the opcodes of a pickle. Nothing is executed: names are noted where they would be imported, calls are noted where they would be
 * made. Arrays that joblib puts between the opcodes are passed over.
 * @throws PickleError for what is no pickle, and for one that ends in the middle.
 * @see CPython, Lib/pickletools.py; joblib, numpy_pickle.py
 */
export async function scanPickle(input: PickleInput, options: ScanOptions = {}): Promise<Scan> {
  const walk: Walk = {
    ...options,
    input,
    globals: new Map(),
    steps: 0,
    keptBytes: 0,
    hasOutsideArrays: false,
  };
  const machine = new Machine(walk.globals);
  const isWhole = await walkOver(walk, machine, 0);
  return {
    root: isWhole ? machine.pop() : machine.stack[0],
    protocol: machine.protocol,
    globals: [...walk.globals.values()],
    hasOutsideArrays: walk.hasOutsideArrays,
    isWhole,
  };
}

/** @returns false when the walk was ended early. */
async function walkOver(walk: Walk, machine: Machine, depth: number): Promise<boolean> {
  const { input } = walk;
  for (;;) {
    if (isTooLong(walk)) return false;
    if (!input.has(1)) await input.fill(1);
    const { step, form } = opcodeAt(input);
    // Most opcodes have no argument, and need no promise.
    STEPS[step]?.(machine, form.kind === "none" ? undefined : await argumentOf(walk, form));
    if (step === "STOP") return true;
    if (step === "BUILD" && isWrapper(machine.top)) await passArray(walk, machine, depth);
    if (walk.until?.(walk.globals, machine) === true) return false;
  }
}

function isTooLong(walk: Walk): boolean {
  walk.steps += 1;
  if (walk.steps % 4096 === 0) walk.signal?.throwIfAborted();
  return walk.steps > MAX_STEPS;
}

function opcodeAt(input: PickleInput): Opcode {
  const opcode = OPCODES.get(input.byte());
  if (opcode === undefined) throw new PickleError(`byte ${input.position - 1} is no opcode`);
  return opcode;
}

async function argumentOf(walk: Walk, form: ArgumentForm): Promise<Argument> {
  const { input } = walk;
  switch (form.kind) {
    case "none":
      return undefined;
    case "number":
      return (
        await bytesOf(input, form.bytes), numberIn(input.take(form.bytes), form.isSigned === true)
      );
    case "float":
      return (await bytesOf(input, 8), input.take(8).readDoubleBE());
    case "line":
      return parseLine(await input.line(MAX_LINE_BYTES), form.as);
    case "lines":
      return [await input.line(MAX_LINE_BYTES), await input.line(MAX_LINE_BYTES)];
    case "content":
      return contentOf(walk, form);
    default:
      return form satisfies never;
  }
}

async function contentOf(
  walk: Walk,
  { lengthBytes, as }: Extract<ArgumentForm, { readonly kind: "content" }>,
): Promise<Argument> {
  const { input } = walk;
  await bytesOf(input, lengthBytes);
  const length = numberIn(input.take(lengthBytes), false);
  if (!isKept(walk, length, as)) {
    await input.skip(length);
    return undefined;
  }
  await bytesOf(input, length);
  const bytes = input.take(length);
  if (as === "text") return bytes.toString("utf8");
  return as === "long" ? longIn(bytes) : Uint8Array.from(bytes);
}

/** Long content is passed over; so is what is not quite short, once there has been much of it. */
function isKept(walk: Walk, length: number, as: "text" | "bytes" | "long"): boolean {
  if (as === "long") return length <= 8;
  if (as === "text" && length <= SHORT_TEXT_BYTES) return true;
  if (length > MAX_KEPT_BYTES) return false;
  walk.keptBytes += length;
  return walk.keptBytes <= MAX_KEPT_IN_ALL;
}

async function bytesOf(input: PickleInput, count: number): Promise<void> {
  if (!input.has(count)) await input.fill(count);
}

function numberIn(bytes: Buffer, isSigned: boolean): number {
  if (bytes.byteLength === 8) return Number(bytes.readBigUInt64LE());
  return isSigned ? bytes.readIntLE(0, bytes.byteLength) : bytes.readUIntLE(0, bytes.byteLength);
}

function longIn(bytes: Buffer): number {
  if (bytes.byteLength === 0) return 0;
  const unsigned = [...bytes].reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return Number(BigInt.asIntN(8 * bytes.byteLength, unsigned));
}

function parseLine(text: string, as: "int" | "float" | "text" | "string"): Argument {
  if (as === "text")
    return text.replaceAll(/\\u([0-9a-f]{4})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  if (as === "string") return text.replace(/^(["'])(.*)\1$/s, "$2");
  if (as === "int" && (text === "00" || text === "01")) return text === "01";
  const number = Number(text.replace(/L$/, ""));
  if (Number.isNaN(number) && !/^-?(nan|inf)/i.test(text))
    throw new PickleError(`"${text.slice(0, 20)}" is no number`);
  return number;
}

/** joblib's stand-in for an array whose bytes follow in the file. */
function isWrapper(value: PickleValue): boolean {
  const name = classOf(value);
  return name?.name === "NumpyArrayWrapper" && name.module.startsWith("joblib.");
}

/** Goes past the bytes of an array, which stand right after the stand-in. @see joblib, numpy_pickle.py, NumpyArrayWrapper.write_array */
async function passArray(walk: Walk, machine: Machine, depth: number): Promise<void> {
  const { input } = walk;
  walk.hasOutsideArrays = true;
  const wrapper = machine.pop();
  const { code, itemBytes, hasObjects } = dtypeOf(attributeOf(wrapper, "dtype"));
  if (hasObjects) return passNested(walk, machine, depth);
  const shape = attributeOf(wrapper, "shape");
  const axes = Array.isArray(shape) ? shape.map(Number) : [];
  const size = axes.reduce((product, axis) => product * axis, itemBytes);
  if (!Number.isSafeInteger(size) || size < 0) throw new PickleError("an array has no size");
  if (typeof attributeOf(wrapper, "numpy_array_alignment_bytes") === "number") {
    await bytesOf(input, 1);
    await input.skip(input.byte());
  }
  if (size > MAX_KEPT_BYTES) {
    await input.skip(size);
    return machine.push(new OutsideArray(code, axes, undefined));
  }
  await bytesOf(input, size);
  machine.push(new OutsideArray(code, axes, Uint8Array.from(input.take(size))));
}

/** An array of objects is a whole pickle of its own. */
async function passNested(walk: Walk, machine: Machine, depth: number): Promise<void> {
  if (depth >= MAX_NESTED) throw new PickleError("pickles are nested too deep");
  const inner = new Machine(walk.globals);
  if (!(await walkOver(walk, inner, depth + 1))) throw new CutError();
  machine.push(inner.pop());
}

interface Dtype {
  /** Byte order, letter and count, such as `<f8`. */
  readonly code: string;
  readonly itemBytes: number;
  readonly hasObjects: boolean;
}

/** The numbers in numpy's type codes are bytes, but for text, where they count characters of four. @see numpy, "Data type objects" */
function dtypeOf(value: PickleValue): Dtype {
  const [name] = listOf(value instanceof Made ? value.args : undefined);
  const [, order, , , , , , flags] = listOf(value instanceof Made ? value.state : undefined);
  const [, letter = "", count = ""] =
    /^[<>|=]?([a-zA-Z?])(\d*)$/.exec(typeof name === "string" ? name : "") ?? [];
  if (letter === "") throw new PickleError("an array has no type that is known");
  return {
    code: `${typeof order === "string" ? order : "<"}${letter}${count}`,
    itemBytes: itemBytesOf(letter, count),
    hasObjects: letter === "O" || (letter === "V" && Number(flags) % 2 === 1), // the flag of a structure with references
  };
}

function itemBytesOf(letter: string, count: string): number {
  return (count === "" ? 1 : Number(count)) * (letter === "U" ? 4 : 1);
}

function listOf(value: PickleValue): readonly PickleValue[] {
  return Array.isArray(value) ? value : [];
}
