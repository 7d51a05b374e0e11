import type { TensorSpec } from "../../../models/tensor/index.ts";
import type { NamedTensor } from "../../plane/index.ts";
import { JsonError, type JsonReader } from "../json/index.ts";
import { requestInvalid, shortName, tensorInvalid } from "../request-errors.ts";
import { isBase64Item } from "./base64-item.ts";
import { Column, isHalf, measureShape, type ByteBudget } from "./column.ts";

const OBJECT = 0x7b;
const OPEN = 0x5b;
const QUOTE = 0x22;
const MAX_TENSORS = 10_000;

/** The only signature that a model has here, by the name that TensorFlow gives it. */
export const SIGNATURE_NAME = "serving_default";
/** What the only input is called where neither the model nor the request says it. */
const UNNAMED = "input";

/** A request for a prediction. */
export interface PredictCall {
  /** How the answer is to be laid out: by instance, or tensor by tensor. */
  readonly form: "rows" | "columns";
  readonly inputs: readonly NamedTensor[];
  /** True when datatypes are only what JSON shows. */
  readonly isUntyped: boolean;
}

interface MemberOffset {
  readonly at: number;
  readonly depth: number;
}

/**
 * Reads `{"signature_name"?, "instances": rows}` or `{"signature_name"?, "inputs": columns}`. Rows are values of the only input, or
 * objects with all inputs by name; columns are one tensor, or an object with all by name. Other members are passed over.
 * @param specs - inputs of the model; absent when it does not say them
 * @throws InferenceError `REQUEST_INVALID`, `TENSOR_INVALID`
 * @see TensorFlow Serving's api_rest.md
 */
export function readPredict(
  reader: JsonReader,
  body: Buffer,
  specs: readonly TensorSpec[] | undefined,
): PredictCall {
  try {
    reader.open(body);
    return new PredictReader(reader, body.byteLength, specs).read();
  } catch (error) {
    if (error instanceof JsonError)
      throw requestInvalid(`it is no JSON at byte ${error.at}: ${error.message}`);
    throw error;
  }
}

class PredictReader {
  readonly #reader: JsonReader;
  readonly #specs: readonly TensorSpec[] | undefined;
  readonly #budget: ByteBudget;

  constructor(reader: JsonReader, bytes: number, specs: readonly TensorSpec[] | undefined) {
    this.#reader = reader;
    this.#specs = specs;
    this.#budget = { left: bytes };
  }

  read(): PredictCall {
    const { instances, inputs, rows } = this.#members();
    if (instances !== undefined && inputs !== undefined)
      throw requestInvalid("it has both instances and inputs", "give one of them");
    const place = instances ?? inputs;
    if (place === undefined)
      throw requestInvalid(
        "it has neither instances nor inputs",
        'give "instances": [row, …] or "inputs": tensor',
      );
    this.#reader.rewind(place.at, place.depth);
    const columns = instances === undefined ? this.#columns() : this.#rows(rows);
    return {
      form: instances === undefined ? "columns" : "rows",
      inputs: columns.map((column) => column.finish(this.#specOf(column.name)?.datatype)),
      isUntyped: this.#specs === undefined || this.#specs.some(({ datatype }) => isHalf(datatype)),
    };
  }

  /** Goes through the whole body, so that what is no JSON is told before anything else. */
  #members(): { instances?: MemberOffset; inputs?: MemberOffset; rows?: number } {
    const reader = this.#reader;
    const found: { instances?: MemberOffset; inputs?: MemberOffset; rows?: number } = {};
    if (reader.peek() !== OBJECT) throw requestInvalid("it is no JSON object");
    reader.enter(OBJECT);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
      if (key === "signature_name") this.#signatureName();
      else if (key === "instances" || key === "inputs") {
        if (found[key] !== undefined) throw requestInvalid(`it has "${key}" twice`);
        reader.peek();
        found[key] = { at: reader.at, depth: reader.depth };
        if (key === "instances") found.rows = this.#countItems();
        else reader.skip();
      } else reader.skip();
    }
    reader.finish();
    return found;
  }

  #signatureName(): void {
    if (this.#reader.peek() !== QUOTE) throw requestInvalid("signature_name is no text");
    const name = this.#reader.string();
    if (name !== SIGNATURE_NAME && name !== "")
      throw requestInvalid(
        `the model has no signature "${shortName(name)}"`,
        `leave signature_name out, or give "${SIGNATURE_NAME}"`,
      );
  }

  #countItems(): number {
    const reader = this.#reader;
    if (reader.peek() !== OPEN) throw requestInvalid("instances is no list");
    let count = 0;
    reader.enter(OPEN);
    for (let more = reader.firstItem(); more; more = reader.nextItem()) {
      reader.skip();
      count += 1;
    }
    return count;
  }

  #rows(rows = 0): readonly Column[] {
    const reader = this.#reader;
    if (rows === 0) throw requestInvalid("instances is empty");
    reader.enter(OPEN);
    reader.firstItem();
    const columns = this.#isNamed() ? this.#namedColumns(rows) : [this.#onlyColumn(rows)];
    const [only] = columns;
    const isNamed = this.#isNamed();
    const byName = new Map(columns.map((column) => [column.name, column]));
    for (let row = 0; row < rows; row += 1) {
      if (isNamed) this.#namedRow(byName, row);
      else only?.take(reader);
      reader.nextItem();
    }
    return columns;
  }

  #columns(): readonly Column[] {
    const reader = this.#reader;
    const isNamed = this.#isNamed();
    const columns = isNamed ? this.#namedColumns() : [this.#onlyColumn()];
    if (isNamed) this.#namedRow(new Map(columns.map((column) => [column.name, column])), 0);
    else columns[0]?.take(reader);
    return columns;
  }

  /** True when the value at this place has inputs by name; `{"b64": …}` is a value itself where one of `BYTES` may stand. */
  #isNamed(): boolean {
    if (this.#reader.peek() !== OBJECT) return false;
    const mayBeItem =
      this.#specs === undefined ||
      (this.#specs.length === 1 &&
        this.#specs[0]?.datatype === "BYTES" &&
        this.#specs[0].name !== "b64");
    return !(mayBeItem && isBase64Item(this.#reader));
  }

  #onlyColumn(rows?: number): Column {
    const [spec, ...others] = this.#specs ?? [];
    if (others.length > 0)
      throw requestInvalid(
        `${rows === undefined ? "inputs is" : "its instances are"} without names, and the model takes ${this.#names()}`,
        "give objects with all inputs by name",
      );
    const name = spec?.name ?? UNNAMED;
    return this.#column(name, rows);
  }

  /** A column for each member of the object at this place, which stays as it is. */
  #namedColumns(rows?: number): readonly Column[] {
    const reader = this.#reader;
    const { at, depth } = reader;
    const columns: Column[] = [];
    reader.enter(OBJECT);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
      if (columns.length === MAX_TENSORS)
        throw requestInvalid(`it has more than ${MAX_TENSORS} inputs`);
      columns.push(this.#column(key, rows));
      reader.skip();
    }
    reader.rewind(at, depth);
    return columns;
  }

  #column(name: string, rows: number | undefined): Column {
    const spec = this.#specOf(name);
    if (this.#specs !== undefined && spec === undefined)
      throw tensorInvalid({
        tensor: name,
        why: `the model has no such input; it takes ${this.#names()}`,
        expected: this.#names(),
        actual: shortName(name),
      });
    const shape = measureShape(this.#reader);
    return new Column({ name, spec, shape, ...(rows !== undefined && { rows }) }, this.#budget);
  }

  /** Takes an object with a value for each column. */
  #namedRow(columns: ReadonlyMap<string, Column>, row: number): void {
    const reader = this.#reader;
    if (!this.#isNamed())
      throw requestInvalid(`instance ${row} is no object with inputs by name, as the first is`);
    let members = 0;
    reader.enter(OBJECT);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
      const column = columns.get(key);
      if (column === undefined || column.taken > row)
        throw tensorInvalid({
          tensor: key,
          why: `${column === undefined ? "the first instance has no such input" : "it is there twice"}, in instance ${row}`,
        });
      column.take(reader);
      members += 1;
    }
    if (members === columns.size) return;
    const missing = [...columns.values()].find(({ taken }) => taken === row);
    throw tensorInvalid({ tensor: missing?.name ?? "", why: `it is missing in instance ${row}` });
  }

  #specOf(name: string): TensorSpec | undefined {
    return this.#specs?.find((spec) => spec.name === name);
  }

  #names(): string {
    return (this.#specs ?? []).map(({ name }) => `"${shortName(name)}"`).join(", ");
  }
}
