import { open, readFile, stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { extname } from "node:path";
import { Readable } from "node:stream";
import { ToolError } from "../../ground/errors/index.ts";
import type { TensorSpec } from "../../models/tensor/index.ts";
import {
  parseCsv,
  parseJsonValue,
  parseLines,
  ValueError,
  type CallInput,
  type CallModel,
  type ProtocolName,
} from "../../serving/calls/index.ts";

/** What a file of inputs is written in. */
const INPUT_FORMS = ["csv", "ndjson", "json", "text", "image", "raw"] as const;
export type InputForm = (typeof INPUT_FORMS)[number];

/** Inputs of one request. */
export interface InputBatch {
  readonly input: CallInput;
  /** Rows in it; 1 for what is one document. */
  readonly rows: number;
}

export interface InputsRequest {
  /** Absolute path, or undefined for standard input. */
  readonly path: string | undefined;
  /** Default: by the file's name, and for standard input by its beginning. */
  readonly form?: InputForm | undefined;
  /** Rows of a table or of lines that are sent together. Default 64. */
  readonly batchRows?: number | undefined;
  readonly model: CallModel;
  readonly protocol: ProtocolName;
  readonly stdin: Readable;
}

const DEFAULT_BATCH_ROWS = 64;
/** Largest file that is sent as one request, in bytes. */
const MAX_WHOLE_BYTES = 1 << 28;
const FORMS: Readonly<Record<string, InputForm>> = {
  ...{ ".csv": "csv", ".tsv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json" },
  ...{ ".txt": "text", ".png": "image", ".jpg": "image", ".jpeg": "image", ".gif": "image" },
  ".webp": "image",
};

/** The form of a file by its name. Standard input is JSON unless said otherwise. */
export function formOf(path: string | undefined, said: InputForm | undefined): InputForm {
  if (said !== undefined) return said;
  return path === undefined ? "json" : (FORMS[extname(path).toLowerCase()] ?? "raw");
}

/**
 * The inputs in a file, request by request; lines are read as they are needed.
 * @throws ToolError `USAGE` naming the line for what cannot be made an input of the model
 */
export async function* readInputs(request: InputsRequest): AsyncGenerator<InputBatch> {
  const form = formOf(request.path, request.form);
  if (form === "csv" || form === "ndjson" || form === "text") yield* readLines(form, request);
  else {
    const bytes = await readWhole(request);
    yield { input: wholeInput(form, bytes, request), rows: 1 };
  }
}

async function readWhole({ path, stdin }: InputsRequest): Promise<Buffer> {
  if (path === undefined) {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of stdin) {
      const bytes = Buffer.from(part as Uint8Array); // of a stream without an encoding
      size += bytes.byteLength;
      if (size > MAX_WHOLE_BYTES) refuseSize("standard input");
      parts.push(bytes);
    }
    return Buffer.concat(parts);
  }
  const { size } = await stat(path).catch(() => ({ size: 0 })); // reading it says what is wrong
  if (size > MAX_WHOLE_BYTES) refuseSize(path);
  return readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

function refuseSize(what: string): never {
  throw new ToolError(
    "LIMIT_EXCEEDED",
    `read "${what}": it has more than ${MAX_WHOLE_BYTES} bytes, which is too much for one request`,
    {
      hint: "write the rows as CSV or as lines of JSON: these are sent piece by piece",
    },
  );
}

function unreadable(path: string, error: unknown): ToolError {
  const why = error instanceof Error ? error.message : String(error);
  return new ToolError("USAGE", `read "${path}": ${why}`, { cause: error });
}

function wholeInput(
  form: Exclude<InputForm, "csv" | "ndjson" | "text">,
  bytes: Buffer,
  { model, protocol }: InputsRequest,
): CallInput {
  if (form !== "json" || protocol === "service")
    return { kind: "file", file: new Blob([new Uint8Array(bytes)]) };
  return said("the JSON", () => jsonInput(bytes.toString("utf8"), model, protocol));
}

/** A document: an object of inputs by name, or the value of the only one. */
function jsonInput(text: string, model: CallModel, protocol: ProtocolName): CallInput {
  const value = parseJson(text);
  if (!isRecord(value))
    return { kind: "tensors", tensors: [parseJsonValue(onlySpec(model, text), text)] };
  if (model.inputs.length === 0 && protocol === "seldon") return { kind: "json", text };
  const specs =
    model.inputs.length > 0
      ? model.inputs
      : Object.keys(value).map((name) => unknownSpec(name, ""));
  return {
    kind: "tensors",
    tensors: specs.map((spec) => {
      const own = value[spec.name];
      if (own === undefined) throw new ValueError(`the input "${spec.name}" is not in it`);
      const json = JSON.stringify(own);
      return parseJsonValue(model.inputs.length > 0 ? spec : unknownSpec(spec.name, json), json);
    }),
  };
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    throw new ValueError(error instanceof Error ? error.message : String(error));
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknownSpec(name: string, json: string): TensorSpec {
  const isText = /^[\s[]*"/.test(json);
  return { name, datatype: isText ? "BYTES" : "FP64", shape: [-1], isRankUnknown: true };
}

/** The only input of a model. @throws ValueError that names them where there are several */
function onlySpec({ inputs }: CallModel, text: string): TensorSpec {
  if (inputs.length > 1)
    throw new ValueError(
      `the model has the inputs ${inputs.map(({ name }) => name).join(", ")}, so a name has to stand beside each value`,
    );
  return inputs[0] ?? unknownSpec("input", text);
}

async function* readLines(
  form: "csv" | "ndjson" | "text",
  request: InputsRequest,
): AsyncGenerator<InputBatch> {
  const { path, batchRows = DEFAULT_BATCH_ROWS, stdin } = request;
  await using file = path === undefined ? undefined : await opened(path);
  const lines = createInterface({ input: file?.createReadStream() ?? stdin, crlfDelay: Infinity });
  const batch = new LineBatch(form, request.model);
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === "" && form !== "text") continue;
    batch.add(line);
    if (batch.rows >= batchRows) yield batch.take(number);
  }
  if (batch.rows > 0) yield batch.take(number);
}

async function opened(path: string): Promise<Awaited<ReturnType<typeof open>>> {
  return open(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

/** Lines that are sent together. */
class LineBatch {
  readonly #form: "csv" | "ndjson" | "text";
  readonly #model: CallModel;
  #lines: string[] = [];
  #heading: readonly string[] | undefined;

  constructor(form: "csv" | "ndjson" | "text", model: CallModel) {
    this.#form = form;
    this.#model = model;
  }

  get rows(): number {
    return this.#lines.length;
  }

  /** A first line of names is remembered, and is no row. */
  add(line: string): void {
    const isFirst = this.#form === "csv" && this.#heading === undefined;
    if (isFirst) {
      const cells = line.split(/[,;\t]/).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
      this.#heading = cells.every((cell) => Number.isNaN(Number(cell))) ? cells : [];
      if (this.#heading.length > 0) return;
    }
    this.#lines.push(line);
  }

  /** @param number - of the last line, for errors */
  take(number: number): InputBatch {
    const lines = this.#lines;
    this.#lines = [];
    const where =
      lines.length === 1 ? `line ${number}` : `lines ${number - lines.length + 1} to ${number}`;
    return { input: said(where, () => this.#input(lines)), rows: lines.length };
  }

  #input(lines: readonly string[]): CallInput {
    switch (this.#form) {
      case "text": {
        const spec = onlySpec(this.#model, '"');
        return { kind: "tensors", tensors: [parseLines(spec, lines.join("\n"))] };
      }
      case "csv":
        return { kind: "tensors", tensors: this.#columns(lines) };
      case "ndjson":
        return this.#objects(lines);
    }
  }

  #objects(lines: readonly string[]): CallInput {
    const text = `[${lines.join(",")}]`;
    const values = parseJson(text);
    if (!Array.isArray(values) || !isRecord(values[0]))
      return { kind: "tensors", tensors: [parseJsonValue(onlySpec(this.#model, text), text)] };
    const names = Object.keys(values[0]);
    const columns = names.map((name) => [
      name,
      values.map((row: unknown) => (isRecord(row) ? row[name] : undefined)),
    ]);
    return jsonInput(JSON.stringify(Object.fromEntries(columns)), this.#model, "v2");
  }

  /** All columns are the only input, or each one is the input of its name. */
  #columns(lines: readonly string[]): Extract<CallInput, { readonly kind: "tensors" }>["tensors"] {
    const { inputs } = this.#model;
    if (inputs.length < 2) return [parseCsv(onlySpec(this.#model, ""), lines.join("\n"))];
    const rows = lines.map((line) => line.split(/[,;\t]/));
    return inputs.map((spec) => {
      const column = this.#heading?.indexOf(spec.name) ?? -1;
      if (column < 0) throw new ValueError(`the input "${spec.name}" is no column`);
      return parseCsv(spec, rows.map((row) => row[column] ?? "").join("\n"));
    });
  }
}

/** Does it, and makes a `USAGE` of what cannot be read. */
function said<Value>(where: string, make: () => Value): Value {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ToolError("USAGE", `read the input: ${where}: ${error.message}`, { cause: error });
  }
}
