export type {
  Component,
  ComponentFacts,
  ComponentMessage,
  ComponentMethod,
  ComponentRequest,
  ComponentResponse,
  ComponentStats,
  Payload,
} from "./component.ts";
export { ComponentError, type UserFailure } from "./component-error.ts";
export type { CallerOptions, Model, Runtime } from "./contracts.ts";
export { createJsComponent, type JsComponentOptions } from "./js/index.ts";
export { createOnnxComponent, type OnnxOptions } from "./onnx/index.ts";
export {
  createPythonComponent,
  parseInterfaceName,
  type ClassParameter,
  type LogLine,
  type PythonComponent,
  type PythonComponentOptions,
} from "./python/index.ts";
