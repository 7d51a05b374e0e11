import { fieldsOfMessages } from "../protobuf/json-mapping.ts";
import { jsonToProto } from "../protobuf/json-to-proto.ts";
import { protoToJson } from "../protobuf/proto-to-json.ts";
import { JsonReader, nodeText, readNode } from "../json/index.ts";
import { SELDON_PROTO } from "./seldon-descriptors.ts";

/** Messages of `seldon.protos` that have a JSON form. */
export type SeldonMessageName =
  | "SeldonMessage"
  | "SeldonMessageList"
  | "Feedback"
  | "SeldonModelMetadataRequest"
  | "SeldonModelMetadata"
  | "SeldonGraphMetadata";

const STYLE = { sortKeys: false, asciiOnly: false };
const FIELDS = fieldsOfMessages(SELDON_PROTO);

/** The JSON text of a protobuf message; numbers of arrays keep their point. @throws WireError */
export function seldonProtoToJson(bytes: Buffer, message: SeldonMessageName): Buffer {
  return Buffer.from(nodeText(protoToJson(bytes, `seldon.protos.${message}`, FIELDS), STYLE));
}

/** The protobuf message of a JSON text. @throws WireError, JsonError */
export function seldonJsonToProto(json: Buffer, message: SeldonMessageName): Buffer {
  const reader = new JsonReader();
  reader.open(json);
  const node = readNode(reader);
  reader.finish();
  return jsonToProto(node, `seldon.protos.${message}`, FIELDS);
}
