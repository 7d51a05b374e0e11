import {
  constAttrs,
  DT,
  makeBool,
  makeFloat,
  makeInt,
  makeIntList,
  makeShape,
  makeShapeList,
  makeTensor,
  makeText,
  makeType,
  makeTypeList,
  plainTensor,
  stringTensor,
  type GraphNode,
} from "../tensorflow/index.ts";

/** Attributes as they are written down; all are one of these kinds. */
export const attr: {
  readonly bool: (value: boolean) => Buffer;
  readonly float: (value: number) => Buffer;
  readonly int: (value: number) => Buffer;
  readonly ints: (values: readonly number[]) => Buffer;
  readonly shape: (shape: readonly number[] | undefined) => Buffer;
  readonly shapes: (shapes: readonly (readonly number[])[]) => Buffer;
  readonly text: (value: string) => Buffer;
  readonly type: (dtype: number) => Buffer;
  readonly types: (dtypes: readonly number[]) => Buffer;
} = {
  bool: makeBool,
  float: makeFloat,
  int: makeInt,
  ints: makeIntList,
  shape: makeShape,
  shapes: makeShapeList,
  text: makeText,
  type: makeType,
  types: makeTypeList,
};

const FLOAT = makeType(DT.float32);
const INT = makeType(DT.int32);

/** Results of a loop over a batch: one value per element. */
export interface LoopResult {
  /** Tensor inside the loop. */
  readonly value: string;
  readonly dtype: number;
  /** Shape of one element, for who reads the stacked tensor. */
  readonly shape: readonly number[] | undefined;
}

/** Adds nodes below one name. Operations are those of TensorFlow 1.4, so that old and new ones run the graph. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  readonly #scope: string;
  #count = 0;
  /** The pivot that holds nodes without inputs in a loop. */
  #pivot: string | undefined;

  /** @param scope - first part of the nodes' names */
  constructor(scope: string) {
    this.#scope = scope;
  }

  /** Adds a node and gives its first result. @param name - whole name; default one below the scope */
  add(
    op: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, Buffer>> = {},
    name: string = this.#freeName(op),
  ): string {
    this.nodes.push({ name, op, inputs, device: "", attrs: new Map(Object.entries(attrs)) });
    return name;
  }

  /** A constant of 32-bit floats. */
  floats(values: readonly number[], shape: readonly number[] = []): string {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [at, value] of values.entries()) bytes.writeFloatLE(value, at * 4);
    return this.#constant(DT.float32, plainTensor(DT.float32, shape, bytes));
  }

  /** A constant of 32-bit whole numbers. */
  ints(values: readonly number[], shape: readonly number[] = []): string {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [at, value] of values.entries()) bytes.writeInt32LE(value, at * 4);
    return this.#constant(DT.int32, plainTensor(DT.int32, shape, bytes));
  }

  /** A constant of texts. */
  texts(values: readonly string[], shape: readonly number[]): string {
    const bytes = values.map((value) => Buffer.from(value));
    return this.#constant(DT.string, stringTensor(shape, bytes));
  }

  /** An operation on floats with a type attribute `T`. */
  float(op: string, ...inputs: readonly string[]): string {
    return this.add(op, inputs, { T: FLOAT });
  }

  /** Cuts a tensor along an axis into its elements. */
  unpack(tensor: string, axis: number, count: number): readonly string[] {
    const name = this.add("Unpack", [tensor], {
      T: FLOAT,
      num: attr.int(count),
      axis: attr.int(axis),
    });
    return Array.from({ length: count }, (_, at) => (at === 0 ? name : `${name}:${at}`));
  }

  /** Puts tensors side by side along a new axis. */
  pack(tensors: readonly string[], axis: number, dtype: number = DT.float32): string {
    return this.add("Pack", tensors, {
      T: attr.type(dtype),
      N: attr.int(tensors.length),
      axis: attr.int(axis),
    });
  }

  /** Tensors one after the other along the first axis. */
  concat(tensors: readonly string[]): string {
    return this.add("ConcatV2", [...tensors, this.ints([0])], {
      T: FLOAT,
      Tidx: INT,
      N: attr.int(tensors.length),
    });
  }

  /** Rows of a tensor. */
  gather(tensor: string, rows: string, dtype: number = DT.float32): string {
    return this.add("Gather", [tensor, rows], { Tparams: attr.type(dtype), Tindices: INT });
  }

  /** Places where a vector of truth values is true, as a vector. */
  where(mask: string): string {
    const places = this.add("Where", [mask]);
    const flat = this.add("Reshape", [places, this.ints([-1], [1])], {
      T: attr.type(DT.int64),
      Tshape: INT,
    });
    return this.add("Cast", [flat], { SrcT: attr.type(DT.int64), DstT: INT });
  }

  /** Length of a tensor's first axis. */
  length(tensor: string, dtype: number = DT.float32): string {
    const shape = this.add("Shape", [tensor], { T: attr.type(dtype), out_type: INT });
    const [begin, end, step] = [this.ints([0], [1]), this.ints([1], [1]), this.ints([1], [1])];
    return this.add("StridedSlice", [shape, begin, end, step], {
      T: INT,
      Index: INT,
      shrink_axis_mask: attr.int(1),
    });
  }

  /**
   * Runs nodes once for every element of a batch and stacks what they give.
   * @param count - tensor with the number of elements
   * @param body - is given a tensor with the element's number, and a way to take tensors from outside into the loop
   */
  loop(
    count: string,
    body: (
      index: string,
      enter: (tensor: string, dtype: number) => string,
    ) => readonly LoopResult[],
  ): readonly string[] {
    const frame = this.#freeName("loop");
    const enter = (tensor: string, dtype: number, isConstant: boolean): string =>
      this.add("Enter", [tensor], {
        T: attr.type(dtype),
        frame_name: attr.text(frame),
        is_constant: attr.bool(isConstant),
        parallel_iterations: attr.int(1),
      });
    const start = enter(this.ints([0]), DT.int32, false);
    const counter = this.#loopVariable(start, DT.int32);
    const more = this.add("Less", [counter.merge, enter(count, DT.int32, true)], { T: INT });
    const condition = this.add("LoopCond", [more]);
    const index = this.#loopBody(counter, condition, DT.int32);
    const before = this.#pivot;
    this.#pivot = index.body;
    const results = body(index.body, (tensor, dtype) => enter(tensor, dtype, true));
    const next = this.add("Add", [index.body, this.ints([1])], { T: INT });
    this.#pivot = before;
    this.#closeLoop(counter, next, DT.int32);
    return results.map((result) =>
      this.#collect(result, { count, condition, index: index.body, enter }),
    );
  }

  #collect(
    { value, dtype, shape }: LoopResult,
    loop: {
      readonly count: string;
      readonly condition: string;
      readonly index: string;
      readonly enter: (tensor: string, dtype: number, isConstant: boolean) => string;
    },
  ): string {
    const array = this.add("TensorArrayV3", [loop.count], { dtype: attr.type(dtype) });
    const flow = this.#loopVariable(loop.enter(`${array}:1`, DT.float32, false), DT.float32);
    const inside = this.#loopBody(flow, loop.condition, DT.float32);
    const handle = loop.enter(array, DT.resource, true);
    const written = this.add("TensorArrayWriteV3", [handle, loop.index, value, inside.body], {
      T: attr.type(dtype),
    });
    this.#closeLoop(flow, written, DT.float32);
    const done = this.add("Exit", [inside.leaving], { T: FLOAT });
    const all = this.add("Range", [this.ints([0]), loop.count, this.ints([1])], { Tidx: INT });
    return this.add("TensorArrayGatherV3", [array, all, done], {
      dtype: attr.type(dtype),
      element_shape: attr.shape(shape),
    });
  }

  /** A Merge whose second input is not there yet. */
  #loopVariable(start: string, dtype: number): { readonly merge: string; readonly next: string } {
    const next = this.#freeName("NextIteration");
    const merge = this.add("Merge", [start, next], { T: attr.type(dtype), N: attr.int(2) });
    return { merge, next };
  }

  #loopBody(
    { merge }: { readonly merge: string },
    condition: string,
    dtype: number,
  ): { readonly body: string; readonly leaving: string } {
    const split = this.add("Switch", [merge, condition], { T: attr.type(dtype) });
    const body = this.add("Identity", [`${split}:1`], { T: attr.type(dtype) });
    return { body, leaving: split };
  }

  #closeLoop({ next }: { readonly next: string }, value: string, dtype: number): void {
    this.add("NextIteration", [value], { T: attr.type(dtype) }, next);
  }

  #constant(dtype: number, tensor: Buffer): string {
    const name = this.#freeName("Const");
    const inputs = this.#pivot === undefined ? [] : [`^${this.#pivot}`];
    const attrs = constAttrs(dtype, makeTensor(tensor));
    this.nodes.push({ name, op: "Const", inputs, device: "", attrs });
    return name;
  }

  #freeName(what: string): string {
    this.#count += 1;
    return `${this.#scope}/${what}_${this.#count}`;
  }
}
