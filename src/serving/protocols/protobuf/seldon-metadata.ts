import {
  isList,
  isObject,
  JsonNumber,
  pythonStr,
  type JsonNode,
  type JsonObject,
} from "../json/index.ts";
import { writeEntry, writeValueField } from "./value.ts";
import { WireWriter } from "../../../ground/wire/index.ts";

const MODEL = {
  name: 10,
  versions: 18,
  platform: 26,
  inputs: 34,
  outputs: 42,
  custom: 50,
} as const;
const ITEM = { messagetype: 10, schema: 18, name: 26, datatype: 34, shape: 42 } as const;

/** Writes checked metadata as a SeldonModelMetadata. @see prediction.proto */
export function writeModelMetadata(metadata: JsonObject): Buffer {
  const writer = new WireWriter(512);
  const custom = metadata.get("custom");
  if (isObject(custom))
    for (const [key, value] of [...custom].toReversed())
      writeEntry(writer, MODEL.custom, { key, write: () => writer.string(18, pythonStr(value)) });
  writeItems(writer, MODEL.outputs, metadata.get("outputs"));
  writeItems(writer, MODEL.inputs, metadata.get("inputs"));
  writeText(writer, MODEL.platform, metadata.get("platform"));
  const versions = metadata.get("versions");
  if (isList(versions))
    for (const version of versions.toReversed()) writer.string(MODEL.versions, pythonStr(version));
  writeText(writer, MODEL.name, metadata.get("name"));
  return writer.finish();
}

function writeItems(writer: WireWriter, tag: number, items: JsonNode | undefined): void {
  if (!isList(items)) return;
  for (const item of items.toReversed()) {
    if (!isObject(item)) continue;
    const from = writer.size;
    const shape = item.get("shape");
    if (isList(shape) && shape.length > 0) {
      const inner = writer.size;
      for (const axis of shape.toReversed())
        writer.varint(axis instanceof JsonNumber ? BigInt(Math.trunc(Number(axis.text))) : 0);
      writer.close(ITEM.shape, inner);
    }
    writeText(writer, ITEM.datatype, item.get("datatype"));
    writeText(writer, ITEM.name, item.get("name"));
    const schema = item.get("schema");
    if (schema !== undefined) writeValueField(writer, ITEM.schema, schema);
    writeText(writer, ITEM.messagetype, item.get("messagetype"));
    writer.close(tag, from);
  }
}

function writeText(writer: WireWriter, tag: number, text: JsonNode | undefined): void {
  if (typeof text === "string" && text !== "") writer.string(tag, text);
}
