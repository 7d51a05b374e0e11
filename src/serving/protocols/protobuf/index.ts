export { protoMetrics, writeSeldonMessage } from "./seldon-answer.ts";
export { writeModelMetadata } from "./seldon-metadata.ts";
export { SeldonProtoParser, type ProtoParseOptions } from "./seldon-request.ts";
export { WireError } from "./wire-error.ts";
export { WireReader } from "./wire-reader.ts";
export { WireWriter } from "./wire-writer.ts";
