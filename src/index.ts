/**
 * The packing tower as a library: the same modules that the command line is made of. Each is also a subpath of its own
 * (`slipway/oci`, `slipway/registry`, …). Shapes, units, defaults and errors stand at each export.
 */
export * as builder from "./builder/index.ts";
export * as compress from "./compress/index.ts";
export * as copy from "./copy/index.ts";
export * as engine from "./engine/index.ts";
export * as errors from "./errors/index.ts";
export * as formats from "./formats/index.ts";
export * as layout from "./layout/index.ts";
export * as model from "./model/index.ts";
export * as oci from "./oci/index.ts";
export * as pack from "./pack/index.ts";
export * as registry from "./registry/index.ts";
export * as registryServer from "./registry-server/index.ts";
export * as store from "./store/index.ts";
export * as tar from "./tar/index.ts";
