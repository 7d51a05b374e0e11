import { PickleError } from "./pickle-error.ts";
import { GlobalName, Made, PERSISTENT, type PickleList, type PickleValue } from "./values.ts";

/** How much of a pickle is remembered; what is beyond is walked over and forgotten. */
const MAX_STACK = 4_000_000;
const MAX_MEMO = 4_000_000;
const MAX_ITEMS = 512;
const MAX_KEPT = 3_000_000;
const MAX_GLOBALS = 10_000;
const MAX_FAULTS = 16;
const MAX_VERSIONS = 16;

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
  /** What no name can allow, in words. */
  readonly faults: Set<string>;
  /** Dotted names that are called with arguments. */
  readonly calls: Set<string>;
  /** Releases of scikit-learn that the states of its objects name. */
  readonly versions: Set<string>;
  protocol = 0;
  /** True when something was forgotten, so that an attribute may be missing or old. */
  isLossy = false;
  readonly #maxItems: number;
  #kept = 0;
  /** Tuples that begin with joblib's stand-in for arrays. */
  readonly #holders = new WeakSet<object>();

  /**
   * @param outer - the machine of the pickle that this one stands in; what is found is noted there.
   * @param maxItems - values of one list or dict that are remembered.
   */
  constructor(outer?: Machine, maxItems: number = MAX_ITEMS) {
    this.globals = outer?.globals ?? new Map();
    this.faults = outer?.faults ?? new Set();
    this.calls = outer?.calls ?? new Set();
    this.versions = outer?.versions ?? new Set();
    this.#maxItems = maxItems;
  }

  /** Notes the release that a state names. */
  noteVersion(state: PickleValue): void {
    const version = state instanceof Map ? state.get("_sklearn_version") : undefined;
    if (typeof version === "string" && /^\d+(\.\d+)+[a-z0-9.]{0,16}$/.test(version))
      if (this.versions.size < MAX_VERSIONS) this.versions.add(version);
  }

  fault(what: string): void {
    if (this.faults.size < MAX_FAULTS) this.faults.add(what);
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
    if (!Number.isSafeInteger(index) || index < 0)
      throw new PickleError("it keeps a value at no place");
    if (this.#memo.size < MAX_MEMO) this.#memo.set(index, this.top);
    else this.isLossy = true;
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
    if (this.globals.size >= MAX_GLOBALS) throw new PickleError("it imports too many names");
    if (!this.globals.has(found.path)) this.globals.set(found.path, found);
    this.push(found);
  }

  /** Notes a call. Only a name can be called: what a value does when it is called cannot be told from the file. */
  call(callee: PickleValue, args: PickleValue, hasArguments: boolean): Made {
    const bound = boundBy(callee);
    if (bound !== undefined) this.calls.add(bound.path);
    else if (!(callee instanceof GlobalName)) this.fault("it calls a value that it made");
    else if (hasArguments) this.calls.add(callee.path);
    if (this.#holds(args) && !isReconstructor(callee)) this.fault(HIDDEN_ARRAY);
    const made = new Made(callee, args);
    if (isPartial(callee) && boundBy(made) === undefined) this.fault(LATE_BINDING);
    return made;
  }

  /** joblib's stand-in for an array must be seen where it is made, since bytes follow it that are no opcodes. */
  #check(item: PickleValue, index: number, into: object): void {
    if (isArrayWrapper(item) && index === 0) this.#holders.add(into);
    else if (isArrayWrapper(item) || this.#holds(item)) this.fault(HIDDEN_ARRAY);
  }

  #holds(value: PickleValue): boolean {
    return Array.isArray(value) && this.#holders.has(value);
  }

  addItems(items: readonly PickleValue[]): void {
    const list = this.top;
    if (!Array.isArray(list)) return;
    for (const item of items) {
      this.#check(item, -1, list);
      if (list.length < this.#maxItems && this.#keep()) list.push(item);
      else this.isLossy ||= list.length < this.#maxItems;
    }
  }

  addPairs(items: readonly PickleValue[]): void {
    if (items.length % 2 === 1) throw new PickleError("it has a key without a value");
    const { top } = this;
    if (top instanceof Made) top.items ??= new Map();
    const dict = top instanceof Made ? top.items : top;
    if (!(dict instanceof Map)) return;
    for (let at = 0; at < items.length; at += 2) {
      this.#check(items[at], -1, dict);
      this.#check(items[at + 1], -1, dict);
      if (dict.size < this.#maxItems && this.#keep()) dict.set(items[at], items[at + 1]);
      else if (dict.has(items[at])) dict.set(items[at], items[at + 1]);
    }
  }

  list(items: PickleList): PickleList {
    const kept = items.slice(0, this.#maxItems).filter(() => this.#keep());
    items.forEach((item, index) => this.#check(item, index, kept));
    return kept;
  }

  #keep(): boolean {
    this.#kept += 1;
    this.isLossy ||= this.#kept > MAX_KEPT;
    return this.#kept <= MAX_KEPT;
  }
}

/** What `functools.partial` holds, when the file shows it: a name, which a later state does not replace. */
function boundBy(value: PickleValue): GlobalName | undefined {
  if (!(value instanceof Made) || value.isRebuilt || !isPartial(value.callee)) return undefined;
  const [first] = Array.isArray(value.args) ? value.args : [];
  const [later = first] = Array.isArray(value.state) ? value.state : [];
  return first instanceof GlobalName && first === later ? first : undefined;
}

function isPartial(value: PickleValue): boolean {
  return value instanceof GlobalName && value.path === "functools.partial";
}

const LATE_BINDING = "it binds arguments to a value that it made";
const HIDDEN_ARRAY = "it hides where an array stands";

function isArrayWrapper(value: PickleValue): boolean {
  return value instanceof GlobalName && value.name === "NumpyArrayWrapper";
}

function isReconstructor(value: PickleValue): boolean {
  return value instanceof GlobalName && /^copy_?reg\._reconstructor$/.test(value.path);
}

function call(machine: Machine): void {
  const args = machine.pop();
  machine.push(machine.call(machine.pop(), args, true));
}

function makeNew(machine: Machine): void {
  const args = machine.pop();
  machine.push(machine.call(machine.pop(), args, !Array.isArray(args) || args.length > 0));
}

function makeOf(machine: Machine, [callee, ...args]: PickleList): void {
  machine.push(machine.call(callee, machine.list(args), args.length > 0));
}

function build(machine: Machine): void {
  const state = machine.pop();
  const { top } = machine;
  machine.noteVersion(state);
  if (top instanceof GlobalName) machine.fault(`it changes ${top.path} itself`);
  if (!(top instanceof Made)) return;
  top.isRebuilt ||= top.isBuilt;
  top.isBuilt = true;
  top.state ??= state;
  if (isPartial(top.callee) && boundBy(top) === undefined) machine.fault(LATE_BINDING);
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
  PERSID: (machine, argument) => machine.push(new Made(PERSISTENT, argument)),
  BINPERSID: (machine) => machine.push(new Made(PERSISTENT, machine.pop())),
  EXT(machine, argument) {
    machine.fault(`it uses extension code ${Number(argument)}`);
    machine.push(undefined);
  },
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
    makeOf(machine, [machine.pop(), ...args]);
  },
  OBJ: (machine) => makeOf(machine, machine.popMark()),
  REDUCE: call,
  NEWOBJ: makeNew,
  NEWOBJ_EX(machine) {
    machine.pop();
    call(machine);
  },
  BUILD: build,
  PUT: (machine, argument) => machine.remember(Number(argument)),
  MEMOIZE: (machine) => machine.memoize(),
  GET: (machine, argument) => machine.recall(Number(argument)),
};

function pairOf(argument: Argument): [PickleValue, PickleValue] {
  return Array.isArray(argument) ? [argument[0], argument[1]] : [undefined, undefined];
}
