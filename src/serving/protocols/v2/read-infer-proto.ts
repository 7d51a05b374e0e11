import { WireReader } from "../../../ground/wire/index.ts";
import type { NamedTensor, Parameters, ParameterValue } from "../../plane/index.ts";
import {
  checkOutputs,
  readRequestParameters,
  readWantedOutput,
  type InferCall,
  type WantedOutput,
} from "./infer-call.ts";
import { addBounded, MAX_AXES, MAX_PARAMETERS, MAX_TENSORS, tooMany } from "../proto-bounds.ts";
import { requestInvalid, tensorInvalid } from "../request-errors.ts";
import { readContents } from "./proto-contents.ts";
import { datatypeOf } from "./read-infer-json.ts";
import { checkRawData, type TensorHead } from "./tensor-size.ts";

/** A `ModelInferRequest`, read and checked. */
export interface ProtoInferCall extends InferCall {
  readonly model: string;
  /** Absent: the highest that is ready. */
  readonly version?: string;
  /** The inputs came as raw contents, and so do the outputs go back. */
  readonly isRawIn: boolean;
}

interface Input {
  name: string;
  datatype: string;
  shape: number[];
  parameters: Map<string, ParameterValue>;
  contents: Buffer[];
}

interface Fields {
  model: string;
  version: string;
  id: string;
  readonly parameters: Map<string, ParameterValue>;
  readonly inputs: Input[];
  readonly outputs: WantedOutput[];
  readonly raw: Buffer[];
}

/** @throws InferenceError `REQUEST_INVALID`, `TENSOR_INVALID`; WireError for bytes that are no message */
export function readInferProto(message: Buffer): ProtoInferCall {
  const { model, version, id, parameters, inputs, outputs, raw } = readFields(message);
  if (inputs.length === 0) throw requestInvalid("it has no inputs");
  if (raw.length > 0 && raw.length !== inputs.length)
    throw requestInvalid(
      `raw_input_contents has ${raw.length} parts for ${inputs.length} inputs`,
      "send one part for each input, in their order",
    );
  checkOutputs(outputs);
  return {
    model,
    isRawIn: raw.length > 0,
    ...(version !== "" && { version }),
    ...(id !== "" && { id }),
    inputs: inputs.map((input, at) => protoTensor(input, raw[at])),
    ...readRequestParameters(Object.fromEntries(parameters)),
    ...(outputs.length > 0 && { outputs }),
  };
}

function readFields(message: Buffer): Fields {
  const reader = new WireReader(message);
  const fields: Fields = {
    ...{ model: "", version: "", id: "", parameters: new Map() },
    ...{ inputs: [], outputs: [], raw: [] },
  };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) fields.model = reader.string();
    else if (tag === 18) fields.version = reader.string();
    else if (tag === 26) fields.id = reader.string();
    else if (tag === 34) readParameter(reader.bytes(), fields.parameters);
    else if (tag === 42)
      addBounded(fields.inputs, readInput(reader.bytes()), MAX_TENSORS, "inputs");
    else if (tag === 50)
      addBounded(fields.outputs, readOutput(reader.bytes()), MAX_TENSORS, "outputs");
    else if (tag === 58) addBounded(fields.raw, reader.bytes(), MAX_TENSORS, "raw contents");
    else reader.skip(tag);
  }
  return fields;
}

function protoTensor(
  { name, datatype, shape, parameters, contents }: Input,
  raw: Buffer | undefined,
): NamedTensor {
  const head: TensorHead = { name, datatype: datatypeOf(name, datatype), shape };
  if (raw !== undefined && contents.length > 0)
    throw tensorInvalid({ tensor: name, why: "it has both contents and raw_input_contents" });
  if (raw !== undefined) checkRawData(head, raw);
  return {
    ...head,
    data: raw ?? readContents(head, Buffer.concat(contents)),
    ...(parameters.size > 0 && { parameters: Object.fromEntries(parameters) }),
  };
}

function readInput(message: Buffer): Input {
  const reader = new WireReader(message);
  const input: Input = { name: "", datatype: "", shape: [], parameters: new Map(), contents: [] };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) input.name = reader.string();
    else if (tag === 18) input.datatype = reader.string();
    else if (tag === 24) addBounded(input.shape, Number(reader.int64()), MAX_AXES, "axes");
    else if (tag === 26) readPackedShape(reader, input.shape);
    else if (tag === 34) readParameter(reader.bytes(), input.parameters);
    else if (tag === 42) input.contents.push(reader.bytes());
    else reader.skip(tag);
  }
  return input;
}

function readPackedShape(reader: WireReader, shape: number[]): void {
  const outer = reader.enter();
  while (reader.at < reader.end) addBounded(shape, Number(reader.int64()), MAX_AXES, "axes");
  reader.leave(outer);
}

function readOutput(message: Buffer): WantedOutput {
  const reader = new WireReader(message);
  const parameters = new Map<string, ParameterValue>();
  let name = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) name = reader.string();
    else if (tag === 18) readParameter(reader.bytes(), parameters);
    else reader.skip(tag);
  }
  return readWantedOutput(name, Object.fromEntries(parameters));
}

/** An entry of a map of parameters. */
function readParameter(entry: Buffer, into: Map<string, ParameterValue>): void {
  const reader = new WireReader(entry);
  let key = "";
  let value: ParameterValue | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) key = reader.string();
    else if (tag === 18) value = readChoice(reader.bytes());
    else reader.skip(tag);
  }
  if (value === undefined)
    throw requestInvalid(`the parameter "${key.slice(0, 100)}" has no value`);
  if (into.size >= MAX_PARAMETERS) throw tooMany(MAX_PARAMETERS, "parameters");
  into.set(key, value);
}

function readChoice(message: Buffer): Parameters[string] | undefined {
  const reader = new WireReader(message);
  let value: ParameterValue | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 8) value = reader.bool();
    else if (tag === 16) value = integerOf(reader.int64());
    else if (tag === 26) value = reader.string();
    else if (tag === 33) value = reader.double();
    else if (tag === 40) value = integerOf(BigInt.asUintN(64, reader.int64()));
    else reader.skip(tag);
  }
  return value;
}

/** As the plane has parameters: text where a double would lose digits. */
function integerOf(value: bigint): number | string {
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}
