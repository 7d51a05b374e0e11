/** The name of a class or function; nothing is imported. */
export class GlobalName {
  readonly module: string;
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }

  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** What calling `callee` would give; it is never called. */
export class Made {
  readonly callee: PickleValue;
  readonly args: PickleValue;
  state: PickleValue = undefined;
  /** True once it was given a state. */
  isBuilt = false;
  /** True when it was given a second state, which `state` does not show. */
  isRebuilt = false;
  /** Pairs that are put into it as into a dictionary. */
  items: PickleDict | undefined;

  constructor(callee: PickleValue, args: PickleValue) {
    this.callee = callee;
    this.args = args;
  }
}

/** Callee of what stands outside the pickle; the argument is its persistent id. @see CPython, Lib/pickle.py, persistent_load */
export const PERSISTENT = "persistent";

/** An array whose bytes stand in the file beside the pickle, as joblib writes it. */
export class OutsideArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Kept for small ones only. */
  readonly bytes: Uint8Array | undefined;

  constructor(dtype: string, shape: readonly number[], bytes: Uint8Array | undefined) {
    this.dtype = dtype;
    this.shape = shape;
    this.bytes = bytes;
  }
}

/** A value as far as it is followed; `undefined` stands for everything that is not. Lists and tuples are arrays. */
export type PickleValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | Uint8Array
  | GlobalName
  | Made
  | OutsideArray
  | PickleList
  | PickleDict;
export type PickleList = PickleValue[];
export type PickleDict = Map<PickleValue, PickleValue>;

/** The class of an object, however it was made. */
export function classOf(value: PickleValue): GlobalName | undefined {
  if (!(value instanceof Made)) return undefined;
  const { callee, args } = value;
  if (!(callee instanceof GlobalName)) return undefined;
  const isReconstructor = callee.name === "_reconstructor" && /^copy_?reg$/.test(callee.module);
  if (!isReconstructor) return callee;
  const first = Array.isArray(args) ? args[0] : undefined;
  return first instanceof GlobalName ? first : undefined;
}

/** An attribute of an object. */
export function attributeOf(value: PickleValue, name: string): PickleValue {
  if (!(value instanceof Made)) return undefined;
  const { state } = value;
  if (state instanceof Map) return state.get(name);
  // With slots the state is a pair: what is in __dict__, and the slots.
  const parts = Array.isArray(state) ? state : [];
  return parts
    .map((part) => (part instanceof Map ? part.get(name) : undefined))
    .find((found) => found !== undefined);
}
