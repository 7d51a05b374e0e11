export { protoMetrics, writeSeldonMessage } from "./seldon-answer.ts";
export { writeModelMetadata } from "./seldon-metadata.ts";
export { SeldonProtoParser, type ProtoParseOptions } from "./seldon-request.ts";
export { readTfTensor, writeTfTensor } from "./tf-tensor-proto.ts";
