import { bytesOf, castTensor, type Datatype, type Tensor } from "../../../models/tensor/index.ts";
import { isList, JsonNumber, readNode, type JsonNode } from "./json-node.ts";
import { JsonReader } from "./json-reader.ts";

/** A JSON list of numbers and booleans, all rows of one length, as a tensor of one datatype. @throws JsonError */
export function listTensor(json: string, datatype: Datatype): Tensor {
  const reader = new JsonReader();
  reader.open(Buffer.from(json, "utf8"));
  const node = readNode(reader);
  const shape: number[] = [];
  for (let row: JsonNode = node; isList(row); row = row[0] ?? null) shape.push(row.length);
  const leaves: JsonNode[] = [];
  collect(node, leaves);
  const isWide = datatype === "INT64" || datatype === "UINT64";
  const data = isWide
    ? bytesOf(BigInt64Array.from(leaves, bigOf))
    : castTensor(
        { name: "", datatype: "FP64", shape, data: bytesOf(Float64Array.from(leaves, doubleOf)) },
        datatype,
      ).data;
  return { name: "", datatype, shape, data };
}

function collect(node: JsonNode, into: JsonNode[]): void {
  if (isList(node)) for (const item of node) collect(item, into);
  else into.push(node);
}

function bigOf(node: JsonNode): bigint {
  return node instanceof JsonNumber ? BigInt(node.text) : BigInt(node === true);
}

function doubleOf(node: JsonNode): number {
  return node instanceof JsonNumber ? Number(node.text) : Number(node === true);
}
