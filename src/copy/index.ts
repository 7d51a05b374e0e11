export { anySource } from "./any-source.ts";
export type { BlobProgress, CopyOptions, CopyResult, TransferOptions } from "./contracts.ts";
export { copy } from "./copy.ts";
export { formatLocation, parseLocation, type Location } from "./parse-location.ts";
export { pushImage, type PushOptions } from "./push-image.ts";
