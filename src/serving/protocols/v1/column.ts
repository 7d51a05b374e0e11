import { shapeText, type Datatype, type TensorSpec } from "../../../models/tensor/index.ts";
import type { NamedTensor } from "../../plane/index.ts";
import type { JsonReader } from "../json/index.ts";
import { tensorInvalid } from "../request-errors.ts";
import { createSink, type Sink } from "../v2/json-data.ts";
import { countElements } from "../v2/tensor-size.ts";
import { readBase64Item } from "./base64-item.ts";
import { LooseSink } from "./loose-sink.ts";

const OPEN = 0x5b;
const LARGEST_HALF = 65_504;

/** Bytes of the request that are not yet taken by values: each takes one at least, so no more values can come. */
export interface ByteBudget {
  left: number;
}

/** What is known of a tensor before its values. */
export interface ColumnHead {
  readonly name: string;
  /** Absent where the model says nothing of it. */
  readonly spec: Pick<TensorSpec, "datatype"> | undefined;
  /** Of one value, and how many there are; absent where the value is the tensor. */
  readonly shape: readonly number[];
  readonly rows?: number;
}

/** The shape of the value at the reader's place, by the first element of each axis; the place stays as it is. */
export function measureShape(reader: JsonReader): readonly number[] {
  const { at, depth } = reader;
  const shape: number[] = [];
  measure(reader, shape);
  reader.rewind(at, depth);
  return shape;
}

function measure(reader: JsonReader, shape: number[]): void {
  if (reader.peek() !== OPEN) {
    reader.skip();
    return;
  }
  const axis = shape.push(0) - 1;
  let length = 0;
  reader.enter(OPEN);
  for (let more = reader.firstItem(); more; more = reader.nextItem()) {
    if (length === 0) measure(reader, shape);
    else reader.skip();
    length += 1;
  }
  shape[axis] = length;
}

/** Takes the values of one input, row by row or at once, straight into the bytes of its tensor. */
export class Column {
  readonly name: string;
  /** Values taken. */
  taken = 0;
  readonly #inner: readonly number[];
  readonly #shape: readonly number[];
  readonly #datatype: Datatype | undefined;
  readonly #sink: Sink | LooseSink;
  #next = 0;

  /** @throws InferenceError `TENSOR_INVALID` when so many values cannot come */
  constructor({ name, spec, shape, rows }: ColumnHead, budget: ByteBudget) {
    this.name = name;
    this.#inner = shape;
    this.#shape = rows === undefined ? shape : [rows, ...shape];
    this.#datatype = spec === undefined ? undefined : readAs(spec.datatype);
    const count = countElements(name, this.#shape);
    if (count > budget.left)
      throw tensorInvalid({
        tensor: name,
        why: `the request has fewer values than the ${count} of shape ${shapeText(this.#shape)}, which the first one and their number give`,
      });
    budget.left -= count;
    this.#sink =
      this.#datatype === undefined
        ? new LooseSink(name)
        : createSink({ name, datatype: this.#datatype, shape: this.#shape }, count, readBase64Item);
  }

  /** Takes a value of the column's shape. @throws InferenceError `TENSOR_INVALID` */
  take(reader: JsonReader): void {
    this.#value(reader, 0);
    this.taken += 1;
  }

  /** The tensor. @param datatype - what the model wants */
  finish(datatype: Datatype | undefined): NamedTensor {
    const made = this.#sink.finish();
    const tensor: NamedTensor = {
      name: this.name,
      shape: this.#shape,
      ...(made instanceof Uint8Array ? { datatype: this.#datatype ?? "FP64", data: made } : made),
    };
    if (datatype === "FP16") this.#checkHalves(tensor.data);
    return tensor;
  }

  #value(reader: JsonReader, axis: number): void {
    const wanted = this.#inner[axis];
    if (wanted === undefined) {
      this.#sink.take(reader, this.#next);
      this.#next += 1;
      return;
    }
    if (reader.peek() !== OPEN) this.#refuseShape();
    let length = 0;
    reader.enter(OPEN);
    for (let more = reader.firstItem(); more; more = reader.nextItem()) {
      const taken = axis === this.#inner.length - 1 ? this.#takeMany(reader) : 0;
      length += taken;
      if (length > wanted || (taken === 0 && length === wanted)) this.#refuseShape();
      if (taken > 0) continue;
      this.#value(reader, axis + 1);
      length += 1;
    }
    if (length !== wanted) this.#refuseShape();
  }

  #takeMany(reader: JsonReader): number {
    const taken = this.#sink.takeMany?.(reader, this.#next) ?? 0;
    this.#next += taken;
    return taken;
  }

  #refuseShape(): never {
    const shape = shapeText(this.#inner);
    const isWhole = this.#inner === this.#shape;
    throw tensorInvalid({
      tensor: this.name,
      why: isWhole
        ? `its lists do not all have the shape ${shape}, as the first of each do`
        : `value ${this.taken} does not have the shape ${shape}, as the first one has`,
      expected: shape,
    });
  }

  #checkHalves(data: Uint8Array): void {
    const values = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
    const index = values.findIndex(
      (value) => Number.isFinite(value) && Math.abs(value) > LARGEST_HALF,
    );
    if (index >= 0)
      throw tensorInvalid({
        tensor: this.name,
        why: `element ${index} is ${values[index]}, which is no FP16`,
        expected: "FP16",
      });
  }
}

/** Half floats are read as whole ones, and converted as the model takes them. */
function readAs(datatype: Datatype): Datatype {
  return isHalf(datatype) ? "FP32" : datatype;
}

/** True for datatypes of two bytes with a fraction. */
export function isHalf(datatype: Datatype): boolean {
  return datatype === "FP16" || datatype === "BF16";
}
