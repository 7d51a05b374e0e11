export type {
  BaseImageQuery,
  EnvironmentPackage,
  PackageType,
  VendorApi,
  VendorApiOptions,
  VendorKeys,
} from "./contracts.ts";
export { createVendorApi } from "./create-vendor-api.ts";
export { resolveBaseImage, type WantedEnvironment } from "./resolve-base-image.ts";
