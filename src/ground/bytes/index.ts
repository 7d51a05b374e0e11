export type { Bytes, CallOptions } from "./bytes.ts";
export { counted, firstBytes, goOn, oneChunk, skipBytes } from "./chunks.ts";
export {
  guardOf,
  isSameGuard,
  planKey,
  planOf,
  type ContentPlan,
  type FileGuard,
  type Segment,
} from "./content-plan.ts";
export { crc32c, maskCrc32c } from "./crc32c.ts";
export { hashFile } from "./hash-file.ts";
export { hashPlan, openPlan } from "./open-plan.ts";
export { unbzip2, unxz } from "./old-compressions.ts";
export { parsePlan, planToJson } from "./plan-json.ts";
export { planShape, samplePlan } from "./plan-sample.ts";
export { openReader, readerOf, type RandomReader } from "./random-reader.ts";
export { readRange, type ReadRangeOptions } from "./read-range.ts";
export { writeBehind } from "./write-behind.ts";
