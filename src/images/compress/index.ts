export { COMPRESSOR_ID, gzipPinned, type GzipOptions } from "./gzip.ts";
export { createDeflatePool, type DeflatePool, type DeflatePoolOptions } from "./pool.ts";
export {
  chooseCompression,
  sampleCompressibility,
  type Compression,
  type SampleOptions,
} from "./sample.ts";
export { zstdId, zstdOfNode } from "./zstd.ts";
