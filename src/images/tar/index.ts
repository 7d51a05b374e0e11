export { decodeHeader, parsePax, plainText, type RawHeader } from "./decode-header.ts";
export type { TarDevice, TarEntry, TarEntryType, TarInput, TarOutput } from "./entry.ts";
export { planTar, type PlanTarOptions, type TarPlan, type TarSegment } from "./plan-tar.ts";
export { readTar, type ReadTarOptions } from "./read-tar.ts";
export { TarError } from "./tar-error.ts";
export { isWhiteoutName, OPAQUE_WHITEOUT, WHITEOUT_PREFIX } from "./whiteout.ts";
export { writeTar } from "./write-tar.ts";
