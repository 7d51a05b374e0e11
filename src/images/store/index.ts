export type { GcOptions, GcResult } from "./collect.ts";
export type { Store } from "./contracts.ts";
export { createStore } from "./create-store.ts";
export type { StoredImage } from "./tags.ts";
