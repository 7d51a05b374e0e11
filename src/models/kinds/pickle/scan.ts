import { CutError, type PickleInput } from "./input.ts";
import { Machine, STEPS, type Argument } from "./machine.ts";
import { OPCODES, type ArgumentForm, type Opcode } from "./opcodes.ts";
import { PickleError } from "./pickle-error.ts";
import { isArrayWrapper, stoodFor } from "./outside-array.ts";
import { type GlobalName, OutsideArray, type PickleValue } from "./values.ts";

/** What walking over a pickle gathers. */
export interface Scan {
  /** The object that loading would give, as far as it was followed. */
  readonly root: PickleValue;
  readonly protocol: number;
  /** Everything that loading would import, in the order in which it comes first. */
  readonly globals: readonly GlobalName[];
  /** Dotted names that loading would call with arguments. */
  readonly calls: readonly string[];
  /** What no model does and no name can allow, in words. */
  readonly faults: readonly string[];
  /** Releases of scikit-learn that the states of its objects name, in order. */
  readonly versions: readonly string[];
  /** True when arrays stand in the file beside the pickle, as joblib writes them. */
  readonly hasOutsideArrays: boolean;
  /** False when `until` ended the walk. */
  readonly isWhole: boolean;
}

export interface ScanOptions {
  readonly signal?: AbortSignal | undefined;
  /** Ends the walk when it says true of what was named so far. */
  readonly until?:
    | ((globals: ReadonlyMap<string, GlobalName>, machine: Machine) => boolean)
    | undefined;
  /** Where the walk notes what it finds, for callers that want to know it though the walk fails. */
  readonly machine?: Machine | undefined;
  /** Takes arrays of joblib for opcodes, as an unpickler without joblib does. Default false. */
  readonly isPlain?: boolean | undefined;
}

/** Bounds time: a few seconds. A model has far fewer, since its numbers stand in arrays. */
const MAX_STEPS = 200_000_000;
const MAX_LINE_BYTES = 64 * 1024;
const MAX_KEPT_BYTES = 4096;
const SHORT_TEXT_BYTES = 256;
const MAX_KEPT_IN_ALL = 24 * 2 ** 20;
const MAX_NESTED = 4;

/** What is shared by a pickle and those inside it. */
interface Walk extends ScanOptions {
  readonly input: PickleInput;
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
    steps: 0,
    keptBytes: 0,
    hasOutsideArrays: false,
  };
  const machine = options.machine ?? new Machine();
  const isWhole = await walkOver(walk, machine, 0);
  return {
    root: isWhole ? machine.pop() : machine.stack[0],
    protocol: machine.protocol,
    globals: [...machine.globals.values()],
    calls: [...machine.calls],
    faults: [...machine.faults],
    versions: [...machine.versions],
    hasOutsideArrays: walk.hasOutsideArrays,
    isWhole,
  };
}

/** @returns false when the walk was ended early. */
async function walkOver(walk: Walk, machine: Machine, depth: number): Promise<boolean> {
  const { input } = walk;
  for (;;) {
    checkLength(walk);
    if (!input.has(1)) await input.fill(1);
    const { step, form } = opcodeAt(input);
    // Most arguments are at hand, and need no promise.
    const atHand = argumentAtHand(input, form);
    STEPS[step]?.(machine, atHand === LATER ? await argumentOf(walk, form) : atHand);
    if (step === "STOP") return true;
    if (step === "BUILD" && walk.isPlain !== true && isArrayWrapper(machine.top))
      await passArray(walk, machine, depth);
    if (walk.until?.(machine.globals, machine) === true) return false;
  }
}

function checkLength(walk: Walk): void {
  walk.steps += 1;
  if (walk.steps % 4096 === 0) walk.signal?.throwIfAborted();
  if (walk.steps > MAX_STEPS) throw new PickleError("it is too long to be followed to its end");
}

function opcodeAt(input: PickleInput): Opcode {
  const opcode = OPCODES.get(input.byte());
  if (opcode === undefined) throw new PickleError(`byte ${input.position - 1} is no opcode`);
  return opcode;
}

/** Stands for an argument that has to be waited for. */
const LATER = Symbol("later");

/** Numbers and short texts whose bytes were read already. */
function argumentAtHand(input: PickleInput, form: ArgumentForm): Argument | typeof LATER {
  if (form.kind === "none") return undefined;
  if (form.kind === "number")
    return input.has(form.bytes) ? input.number(form.bytes, form.isSigned === true) : LATER;
  if (form.kind !== "content" || form.as !== "text") return LATER;
  const length = input.shortText(form.lengthBytes, SHORT_TEXT_BYTES);
  if (length === undefined) return LATER;
  input.number(form.lengthBytes, false);
  return input.text(length);
}

async function argumentOf(walk: Walk, form: ArgumentForm): Promise<Argument> {
  const { input } = walk;
  switch (form.kind) {
    case "none":
      return undefined;
    case "number":
      await bytesOf(input, form.bytes);
      return input.number(form.bytes, form.isSigned === true);
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
  const length = input.number(lengthBytes, false);
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
  // Python takes other bases and underscores too; no pickler writes them.
  if (as === "int" && !/^-?\d+L?$/.test(text))
    throw new PickleError(`"${text.slice(0, 20)}" is no whole number`);
  if (as === "int" && /^-?0\d/.test(text)) throw new PickleError("a number begins with 0");
  const number = Number(text.replace(/L$/, ""));
  if (Number.isNaN(number) && !/^-?(nan|inf)/i.test(text))
    throw new PickleError(`"${text.slice(0, 20)}" is no number`);
  return number;
}

/**
 * Goes past the bytes of an array, which stand right after the stand-in. Everything that decides how many there are must be exactly what joblib
 * writes: a walk that skips more or fewer bytes than the loader sees another file than it.
 * @see joblib, numpy_pickle.py, NumpyArrayWrapper.write_array
 */
async function passArray(walk: Walk, machine: Machine, depth: number): Promise<void> {
  const { input } = walk;
  walk.hasOutsideArrays = true;
  const { dtype, axes, isPadded } = stoodFor(machine);
  const { code, itemBytes, hasObjects } = dtype;
  if (hasObjects) return passNested(walk, machine, depth);
  const size = axes.reduce((product, axis) => product * axis, itemBytes);
  if (!Number.isSafeInteger(size)) throw new PickleError("an array has no size");
  if (isPadded) {
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
  const inner = new Machine(machine);
  if (!(await walkOver(walk, inner, depth + 1))) throw new CutError();
  machine.push(inner.pop());
}
