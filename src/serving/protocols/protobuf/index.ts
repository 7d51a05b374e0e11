export { protoMetrics, writeSeldonMessage } from "./seldon-answer.ts";
export { writeModelMetadata } from "./seldon-metadata.ts";
export { SeldonProtoParser } from "./seldon-request.ts";
export { readTfTensor, writeTfTensor } from "./tf-tensor-proto.ts";
