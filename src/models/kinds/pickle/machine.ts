import { PickleError } from "./pickle-error.ts";
import { GlobalName, Made, type PickleList, type PickleValue } from "./values.ts";

/** How much of a pickle is remembered; what is beyond is walked over and forgotten. */
const MAX_STACK = 200_000;
const MAX_MEMO = 1_000_000;
const MAX_ITEMS = 512;
const MAX_KEPT = 200_000;
const MAX_GLOBALS = 1000;

/** What the opcodes carry with them. */
export type Argument = PickleValue;
type Step = (machine: Machine, argument: Argument) => void;

/**
 * The stack of a pickle, with names in place of the things they name. Nothing is imported and nothing is called; values that no fact
 * depends on are `undefined`.
 */
export class Machine {
  readonly stack: PickleList = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  /** Names of everything that loading would import. */
  readonly globals: Map<string, GlobalName>;
  protocol = 0;
  #kept = 0;

  constructor(globals: Map<string, GlobalName> = new Map()) {
    this.globals = globals;
  }

  get top(): PickleValue {
    return this.stack.at(-1);
  }

  /** True while the whole is a list, tuple or dict that has begun, and no object. */
  get isContainer(): boolean {
    const [bottom] = this.stack;
    return this.#marks[0] === 0 || Array.isArray(bottom) || bottom instanceof Map;
  }

  push(value: PickleValue): void {
    if (this.stack.length >= MAX_STACK) throw new PickleError("its values are nested too deep");
    this.stack.push(value);
  }

  pop(): PickleValue {
    if (this.stack.length <= (this.#marks.at(-1) ?? 0))
      throw new PickleError("it takes a value that is not there");
    return this.stack.pop();
  }

  mark(): void {
    if (this.#marks.length >= MAX_STACK) throw new PickleError("its values are nested too deep");
    this.#marks.push(this.stack.length);
  }

  popMark(): PickleList {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new PickleError("it takes a list that was not begun");
    return this.stack.splice(mark);
  }

  remember(index: number): void {
    if (this.stack.length === 0) throw new PickleError("it keeps a value that is not there");
    if (this.#memo.size < MAX_MEMO) this.#memo.set(index, this.top);
  }

  memoize(): void {
    this.remember(this.#memo.size);
  }

  recall(index: number): void {
    if (!this.#memo.has(index) && this.#memo.size < MAX_MEMO)
      throw new PickleError(`it uses value ${index}, which is not kept`);
    this.push(this.#memo.get(index));
  }

  name(module: PickleValue, name: PickleValue): void {
    if (typeof module !== "string" || typeof name !== "string")
      throw new PickleError("it imports something without a name");
    const found = new GlobalName(module, name);
    if (this.globals.size < MAX_GLOBALS) this.globals.set(found.path, found);
    this.push(found);
  }

  addItems(items: readonly PickleValue[]): void {
    const list = this.top;
    if (!Array.isArray(list)) return;
    for (const item of items.slice(0, MAX_ITEMS - list.length)) if (this.#keep()) list.push(item);
  }

  addPairs(items: readonly PickleValue[]): void {
    if (items.length % 2 === 1) throw new PickleError("it has a key without a value");
    const dict = this.top;
    if (!(dict instanceof Map)) return;
    for (let at = 0; at < items.length && dict.size < MAX_ITEMS; at += 2)
      if (this.#keep()) dict.set(items[at], items[at + 1]);
  }

  list(items: PickleList): PickleList {
    return items.slice(0, MAX_ITEMS).filter(() => this.#keep());
  }

  #keep(): boolean {
    this.#kept += 1;
    return this.#kept <= MAX_KEPT;
  }
}

function make(machine: Machine): void {
  const args = machine.pop();
  machine.push(new Made(machine.pop(), args));
}

function makeOf(machine: Machine, parts: PickleList): void {
  machine.push(new Made(parts[0], machine.list(parts.slice(1))));
}

function build(machine: Machine): void {
  const state = machine.pop();
  const { top } = machine;
  if (top instanceof Made && top.state === undefined) top.state = state;
}

function tupleOf(count: number): Step {
  return (machine) => {
    const items = Array.from({ length: count }, () => machine.pop()).reverse();
    machine.push(machine.list(items));
  };
}

const pushArgument: Step = (machine, argument) => machine.push(argument);
const pushList: Step = (machine) => machine.push(machine.list(machine.popMark()));
const nothing: Step = () => undefined;

/** What each opcode does. @see CPython, Lib/pickletools.py */
export const STEPS: Readonly<Record<string, Step>> = {
  PROTO: (machine, argument) => void (machine.protocol = Number(argument)),
  FRAME: nothing,
  STOP: nothing,
  MARK: (machine) => machine.mark(),
  POP: (machine) => void machine.pop(),
  POP_MARK: (machine) => void machine.popMark(),
  DUP: (machine) => machine.push(machine.top),
  NONE: (machine) => machine.push(null),
  NEWTRUE: (machine) => machine.push(true),
  NEWFALSE: (machine) => machine.push(false),
  VALUE: pushArgument,
  PERSID: (machine) => machine.push(undefined),
  BINPERSID: (machine) => (machine.pop(), machine.push(undefined)),
  EXT: (machine) => machine.push(undefined),
  NEXT_BUFFER: (machine) => machine.push(undefined),
  READONLY_BUFFER: nothing,
  EMPTY_TUPLE: (machine) => machine.push([]),
  EMPTY_LIST: (machine) => machine.push([]),
  EMPTY_DICT: (machine) => machine.push(new Map()),
  EMPTY_SET: (machine) => machine.push([]),
  TUPLE: pushList,
  LIST: pushList,
  FROZENSET: pushList,
  TUPLE1: tupleOf(1),
  TUPLE2: tupleOf(2),
  TUPLE3: tupleOf(3),
  DICT(machine) {
    const items = machine.popMark();
    machine.push(new Map());
    machine.addPairs(items);
  },
  APPEND: (machine) => machine.addItems([machine.pop()]),
  APPENDS: (machine) => machine.addItems(machine.popMark()),
  ADDITEMS: (machine) => machine.addItems(machine.popMark()),
  SETITEM(machine) {
    const value = machine.pop();
    machine.addPairs([machine.pop(), value]);
  },
  SETITEMS: (machine) => machine.addPairs(machine.popMark()),
  GLOBAL: (machine, argument) => machine.name(...pairOf(argument)),
  STACK_GLOBAL(machine) {
    const name = machine.pop();
    machine.name(machine.pop(), name);
  },
  INST(machine, argument) {
    const args = machine.popMark();
    machine.name(...pairOf(argument));
    makeOf(machine, [machine.pop(), ...args.slice(0, MAX_ITEMS)]);
  },
  OBJ: (machine) => makeOf(machine, machine.popMark()),
  REDUCE: make,
  NEWOBJ: make,
  NEWOBJ_EX(machine) {
    machine.pop();
    make(machine);
  },
  BUILD: build,
  PUT: (machine, argument) => machine.remember(Number(argument)),
  MEMOIZE: (machine) => machine.memoize(),
  GET: (machine, argument) => machine.recall(Number(argument)),
};

function pairOf(argument: Argument): [PickleValue, PickleValue] {
  return Array.isArray(argument) ? [argument[0], argument[1]] : [undefined, undefined];
}
