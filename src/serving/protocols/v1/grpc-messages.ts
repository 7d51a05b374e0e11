import { addBounded, MAX_TENSORS } from "../proto-bounds.ts";
import { WireReader, WireWriter, writeMessage } from "../../../ground/wire/index.ts";
import { byteItems, type Signature, type TensorSpec } from "../../../models/tensor/index.ts";
import type { ModelState, NamedTensor, ServedModel } from "../../plane/index.ts";
import { readTfTensor, writeTfTensor } from "../protobuf/index.ts";
import { SeldonError } from "../seldon/index.ts";
import { tfNumber } from "../seldon/tf-tensor.ts";
import { requestInvalid, tensorInvalid } from "../request-errors.ts";
import type { ModelPath } from "./documents.ts";
import { SIGNATURE_NAME } from "./read-predict.ts";

/** What a `ModelSpec` names. */
export interface NamedModel extends ModelPath {
  /** Empty when none is named. */
  readonly signatureName: string;
}

/** A `PredictRequest`. */
export interface PredictMessage {
  readonly model: NamedModel;
  readonly inputs: readonly NamedTensor[];
  /** Names of the wanted outputs; none for all. */
  readonly outputs: readonly string[];
}

const NO_MODEL: NamedModel = { name: "", signatureName: "" };

/** @throws WireError; InferenceError `TENSOR_INVALID` naming the input, `REQUEST_INVALID` for a signature that there is not */
export function readPredict(message: Buffer): PredictMessage {
  const reader = new WireReader(message);
  const inputs: NamedTensor[] = [];
  const outputs: string[] = [];
  let model = NO_MODEL;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) model = readSpec(reader.bytes());
    else if (tag === 18) addBounded(inputs, readInput(reader.bytes()), MAX_TENSORS, "inputs");
    else if (tag === 26) addBounded(outputs, reader.string(), MAX_TENSORS, "outputs");
    else reader.skip(tag);
  }
  if (model.signatureName !== "" && model.signatureName !== SIGNATURE_NAME)
    throw requestInvalid(
      `the signature "${model.signatureName.slice(0, 100)}" is not there`,
      `ask for ${SIGNATURE_NAME}, or name none`,
    );
  return { model, inputs, outputs };
}

/** A request that has a `ModelSpec`, and texts behind it. @throws WireError */
export function readSpecRequest(message: Buffer): {
  readonly model: NamedModel;
  readonly fields: readonly string[];
} {
  const reader = new WireReader(message);
  const fields: string[] = [];
  let model = NO_MODEL;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) model = readSpec(reader.bytes());
    else if (tag === 18) fields.push(reader.string());
    else reader.skip(tag);
  }
  return { model, fields };
}

function readSpec(bytes: Buffer): NamedModel {
  const reader = new WireReader(bytes);
  let spec = NO_MODEL;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) spec = { ...spec, name: reader.string() };
    else if (tag === 18) spec = { ...spec, version: readVersion(reader.bytes()) };
    else if (tag === 26) spec = { ...spec, signatureName: reader.string() };
    else if (tag === 34) spec = { ...spec, label: reader.string() };
    else reader.skip(tag);
  }
  return spec;
}

/** `google.protobuf.Int64Value`. */
function readVersion(bytes: Buffer): string {
  const reader = new WireReader(bytes);
  let version = 0n;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 8) version = BigInt(reader.int64());
    else reader.skip(tag);
  }
  return String(version);
}

function readInput(entry: Buffer): NamedTensor {
  const reader = new WireReader(entry);
  let name = "";
  let value: Buffer = Buffer.alloc(0);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) name = reader.string();
    else if (tag === 18) value = reader.bytes();
    else reader.skip(tag);
  }
  try {
    return { ...readTfTensor(value), name };
  } catch (error) {
    if (!(error instanceof SeldonError)) throw error;
    throw tensorInvalid({ tensor: name, why: error.message });
  }
}

function writeSpec(writer: WireWriter, tag: number, { name, version }: ServedModel): void {
  writer.embed(tag, () => {
    writer.string(26, SIGNATURE_NAME);
    if (/^\d{1,18}$/.test(version)) writer.embed(18, () => writer.int(8, BigInt(version)));
    writer.string(10, name);
  });
}

/** `PredictResponse`. */
export function writePredict(model: ServedModel, outputs: readonly NamedTensor[]): Buffer {
  return writeMessage((writer) => {
    writeSpec(writer, 18, model);
    for (const tensor of outputs.toReversed())
      writer.embed(10, () => {
        writer.embed(18, () => writeTensor(writer, tensor));
        writer.string(10, tensor.name);
      });
  });
}

/** Texts stand one by one in `string_val`; everything else in one piece in `tensor_content`. */
function writeTensor(writer: WireWriter, tensor: NamedTensor): void {
  if (tensor.datatype !== "BYTES") {
    writeTfTensor(writer, tensor);
    return;
  }
  for (const item of byteItems(tensor.data).toReversed()) writer.bytes(STRING_VAL, item);
  writer.embed(18, () => {
    for (const size of tensor.shape.toReversed()) writer.embed(18, () => writer.int(8, size));
  });
  writer.int(8, tfNumber("BYTES") ?? 0);
}

const STRING_VAL = 66;
const SIGNATURES = "type.googleapis.com/tensorflow.serving.SignatureDefMap";

/** `GetModelMetadataResponse` with the only signature. */
export function writeMetadata(model: ServedModel, signature: Signature | undefined): Buffer {
  const { inputs = [], outputs = [] } = signature ?? {};
  const map = writeMessage((writer) =>
    writer.embed(10, () => {
      writer.embed(18, () => {
        writer.string(26, "tensorflow/serving/predict");
        writeInfos(writer, 18, outputs);
        writeInfos(writer, 10, inputs);
      });
      writer.string(10, SIGNATURE_NAME);
    }),
  );
  return writeMessage((writer) => {
    writer.embed(18, () => {
      writer.embed(18, () => {
        writer.bytes(18, map);
        writer.string(10, SIGNATURES);
      });
      writer.string(10, "signature_def");
    });
    writeSpec(writer, 10, model);
  });
}

function writeInfos(writer: WireWriter, tag: number, specs: readonly TensorSpec[]): void {
  for (const { name, datatype, shape, isRankUnknown = false } of specs.toReversed())
    writer.embed(tag, () => {
      writer.embed(18, () => {
        writer.embed(26, () => {
          if (isRankUnknown) writer.int(24, 1);
          else
            for (const size of shape.toReversed())
              writer.embed(18, () => writer.int(8, BigInt.asUintN(64, BigInt(size))));
        });
        writer.int(16, tfNumber(datatype) ?? 0);
        writer.string(10, name);
      });
      writer.string(10, name);
    });
}

const STATES: Readonly<Record<ModelState, number>> = {
  loading: 20,
  standby: 30,
  ready: 30,
  stopping: 40,
  failed: 50,
  unloaded: 50,
};
const UNKNOWN_ERROR = 2;

/** `GetModelStatusResponse`, highest version first. */
export function writeStatus(versions: readonly ServedModel[]): Buffer {
  return writeMessage((writer) => {
    for (const { version, state, reason } of versions)
      writer.embed(10, () => {
        writer.embed(26, () => {
          if (state !== "failed") return;
          writer.string(18, reason);
          writer.int(8, UNKNOWN_ERROR);
        });
        writer.int(16, STATES[state]);
        if (/^\d{1,18}$/.test(version)) writer.int(8, BigInt(version));
      });
  });
}
