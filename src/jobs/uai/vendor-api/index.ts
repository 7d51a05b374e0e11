export type { VendorApi, VendorApiOptions, VendorKeys } from "./contracts.ts";
export { createVendorApi } from "./create-vendor-api.ts";
export { resolveBaseImage } from "./resolve-base-image.ts";
