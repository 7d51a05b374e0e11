import { WireWriter } from "../../ground/wire/index.ts";
import { shapeProto } from "./attr-value.ts";
import { field, join, ropeOf, type Rope } from "./write-graph.ts";

/** A tensor with the name that requests know it by. */
export interface NamedTensor {
  readonly key: string;
  /** `name:slot` */
  readonly tensor: string;
  readonly dtype: number;
  /** -1 for unknown sizes; `undefined` for an unknown rank. */
  readonly shape: readonly number[] | undefined;
}

/** What a SavedModel says about its graph. */
export interface SavedSignature {
  readonly inputs: readonly NamedTensor[];
  readonly outputs: readonly NamedTensor[];
}

/**
 * A SavedModel around a graph without variables: tag `serve`, signature `serving_default`.
 * @param graph - a GraphDef
 */
export function writeSavedModel(graph: Rope, signature: SavedSignature): Rope {
  const info = new WireWriter();
  info.string((4 << 3) | 2, "serve");
  const version = new WireWriter();
  version.int((1 << 3) | 0, 1);
  const entry = new WireWriter();
  entry.bytes((2 << 3) | 2, writeSignature(signature));
  entry.string((1 << 3) | 2, "serving_default");
  const meta = join([
    field(1, ropeOf(info.finish())),
    field(2, graph),
    field(5, ropeOf(entry.finish())),
  ]);
  return join([ropeOf(version.finish()), field(2, meta)]);
}

function writeSignature({ inputs, outputs }: SavedSignature): Buffer {
  const writer = new WireWriter(1024);
  writer.string((3 << 3) | 2, "tensorflow/serving/predict");
  for (const [number, tensors] of [[2, outputs] as const, [1, inputs] as const])
    for (const tensor of tensors.toReversed()) {
      const from = writer.size;
      writer.bytes((2 << 3) | 2, writeTensorInfo(tensor));
      writer.string((1 << 3) | 2, tensor.key);
      writer.close((number << 3) | 2, from);
    }
  return writer.finish();
}

function writeTensorInfo({ tensor, dtype, shape }: NamedTensor): Buffer {
  const writer = new WireWriter(128);
  writer.bytes((3 << 3) | 2, shapeProto(shape));
  writer.int((2 << 3) | 0, dtype);
  writer.string((1 << 3) | 2, tensor);
  return writer.finish();
}
