export { createImageReader } from "./images/index.ts";
export { createJsPredictor } from "./js/index.ts";
export { createOnnxPredictor, spareOnnxThreads, type OnnxOptions } from "./onnx/index.ts";
export type { SpareThreads } from "./threads/index.ts";
export {
  createPythonHost,
  createPythonPredictor,
  parseInterfaceName,
  planWorker,
  WorkerAhead,
  type ClassParameter,
  type HostedLoader,
  type HostedStep,
  type PythonHost,
  type LogLine,
  type PythonOptions,
} from "./python/index.ts";
