export { anySource } from "./any-source.ts";
export type {
  CopyOptions,
  CopyProgress,
  CopyResult,
  PushImageOptions,
  TransferOptions,
} from "./contracts.ts";
export { copy } from "./copy.ts";
export { formatLocation, parseLocation, storeReference, type Location } from "./parse-location.ts";
export { pushImage } from "./push-image.ts";
