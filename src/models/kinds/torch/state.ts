import type { StatedTensor } from "../contracts.ts";
import { datatypeNamed } from "../files/datatype-names.ts";
import { scanPickle, type Scan } from "../pickle/scan.ts";
import type { PickleInput } from "../pickle/input.ts";
import { Machine } from "../pickle/machine.ts";
import {
  attributeOf,
  classOf,
  GlobalName,
  Made,
  PERSISTENT,
  type PickleValue,
} from "../pickle/values.ts";

/** What the pickle of a `torch.save` says. */
export interface TorchPickle {
  /** Module and class of the whole; `dict` for a dictionary. */
  readonly className: string;
  /** Tensors by name, in order: a state dict's, or those of a checkpoint's `state_dict`. */
  readonly tensors: readonly StatedTensor[];
  /** Keys of the whole, when it is a dictionary. */
  readonly keys: readonly string[];
  /** Everything that loading imports. */
  readonly imports: readonly string[];
  readonly isWhole: boolean;
}

const MAX_TENSORS = 100_000;
const MAX_DEPTH = 8;
/** A pickle of `torch.save` before 1.6 begins with this number. @see torch/serialization.py, MAGIC_NUMBER */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;

/** Reads one pickle with tensors in it. Nothing is executed. @throws PickleError */
export async function readTorchPickle(input: PickleInput): Promise<TorchPickle> {
  return factsIn(await scanPickle(input, { machine: new Machine(undefined, MAX_TENSORS) }));
}

/** True for the beginning of a file that `torch.save` wrote before release 1.6. */
export function isLegacyTorch(bytes: Buffer): boolean {
  const magic = Buffer.alloc(10);
  magic.writeBigUInt64LE(LEGACY_MAGIC & 0xffffffffffffffffn, 0);
  magic.writeUInt16LE(Number(LEGACY_MAGIC >> 64n), 8);
  return bytes.subarray(0, 32).includes(magic);
}

/** A legacy file is five pickles: magic number, protocol, machine, the object, and the keys of its storages. @throws PickleError */
export async function readLegacyTorch(input: PickleInput): Promise<TorchPickle> {
  for (let passed = 0; passed < 3; passed += 1) await scanPickle(input);
  return readTorchPickle(input);
}

function factsIn({ root, globals, isWhole }: Scan): TorchPickle {
  const entries = entriesOf(root);
  const tensors: StatedTensor[] = [];
  collect(tensors, entries, { prefix: "", depth: 0 });
  return {
    className: classOf(root)?.path ?? (root instanceof Map ? "dict" : ""),
    tensors: withoutSharedPrefix(tensors, entries),
    keys: entries.map(([key]) => key),
    imports: globals.map(({ path }) => path).toSorted(),
    isWhole,
  };
}

/** Weights inside a training checkpoint are named as the model names them. */
function withoutSharedPrefix(
  tensors: readonly StatedTensor[],
  entries: readonly (readonly [string, PickleValue])[],
): readonly StatedTensor[] {
  for (const key of ["state_dict", "model_state_dict", "model"]) {
    const prefix = `${key}.`;
    if (!entries.some(([name]) => name === key)) continue;
    const inside = tensors.filter(({ name }) => name.startsWith(prefix));
    if (inside.length > 0)
      return inside.map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }));
  }
  return tensors;
}

function collect(
  tensors: StatedTensor[],
  entries: readonly (readonly [string, PickleValue])[],
  { prefix, depth }: { readonly prefix: string; readonly depth: number },
): void {
  for (const [key, value] of entries) {
    if (tensors.length === MAX_TENSORS) return;
    const name = `${prefix}${key}`;
    const tensor = savedTensor(name, value);
    if (tensor !== undefined) tensors.push(tensor);
    else if (depth < MAX_DEPTH)
      collect(tensors, entriesOf(value), { prefix: `${name}.`, depth: depth + 1 });
  }
}

/** Pairs of a dictionary, or of one with an order. Keys that are no text are left out. */
function entriesOf(value: PickleValue): readonly (readonly [string, PickleValue])[] {
  if (value instanceof Map)
    return [...value].flatMap(([key, item]) => (typeof key === "string" ? [[key, item]] : []));
  if (!(value instanceof Made) || classOf(value)?.name !== "OrderedDict") return [];
  if (value.items !== undefined) return entriesOf(value.items);
  const [pairs] = Array.isArray(value.args) ? value.args : [];
  if (!Array.isArray(pairs)) return [];
  return pairs.flatMap((pair) =>
    Array.isArray(pair) && typeof pair[0] === "string" ? [[pair[0], pair[1]]] : [],
  );
}

/** `_rebuild_tensor_v2(storage, offset, shape, ...)`, or a parameter around one. @see torch/_utils.py */
function savedTensor(name: string, value: PickleValue): StatedTensor | undefined {
  const made = classOf(value);
  const args = value instanceof Made && Array.isArray(value.args) ? value.args : [];
  if (made === undefined) return undefined;
  if (/^_rebuild_parameter/.test(made.name)) return savedTensor(name, args[0]);
  if (!/^_rebuild_tensor/.test(made.name)) {
    const data = attributeOf(value, "data");
    return made.name === "Parameter" && data !== undefined ? savedTensor(name, data) : undefined;
  }
  const [storage, , shape] = args;
  const datatype = storageType(storage);
  return {
    name,
    ...(datatype !== undefined && { datatype }),
    shape: Array.isArray(shape) ? shape.map(Number) : null,
  };
}

/** The persistent id of a storage is `("storage", torch.FloatStorage, key, device, count)`. */
function storageType(storage: PickleValue): string | undefined {
  if (!(storage instanceof Made) || storage.callee !== PERSISTENT) return undefined;
  const type = Array.isArray(storage.args) ? storage.args[1] : undefined;
  if (!(type instanceof GlobalName)) return undefined;
  const word = type.name.replace(/Storage$/, "").toLowerCase();
  return datatypeNamed(STORAGES[word] ?? word);
}

/** Storages are named for the types of C. */
const STORAGES: Readonly<Record<string, string>> = {
  float: "float32",
  double: "float64",
  half: "float16",
  bfloat16: "bfloat16",
  long: "int64",
  int: "int32",
  short: "int16",
  char: "int8",
  byte: "uint8",
  bool: "bool",
};
