/**
 * The packing tower as a library: the same modules that the command line is made of. Each is also a subpath of its own
 * (`slipway/oci`, `slipway/registry`, …). Shapes, units, defaults and errors stand at each export.
 */
export * as app from "./app/index.ts";
export * as builder from "./images/bases/index.ts";
export * as compress from "./images/compress/index.ts";
export * as copy from "./images/copy/index.ts";
export * as engine from "./images/engine/index.ts";
export * as errors from "./ground/errors/index.ts";
export * as formats from "./models/kinds/index.ts";
export * as layout from "./images/layout/index.ts";
export * as model from "./models/description/index.ts";
export * as oci from "./images/oci/index.ts";
export * as pack from "./images/pack/index.ts";
export * as registry from "./images/registry/index.ts";
export * as registryServer from "./images/registry-server/index.ts";
export * as store from "./images/store/index.ts";
export * as tar from "./images/tar/index.ts";
