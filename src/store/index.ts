export type { RangeOptions } from "./blobs.ts";
export type { GcOptions, GcResult } from "./collect.ts";
export type { ImageList, ListOptions, PlanStore, RawStore, Store } from "./contracts.ts";
export { createStore, type StoreOptions } from "./create-store.ts";
export type { DigestCache } from "./digest-cache.ts";
export type { JsonCache } from "./json-cache.ts";
export type { StoredImage } from "./tags.ts";
