export { createPythonPredictor, type PythonPredictor } from "./create-python-predictor.ts";
export { parseInterfaceName } from "./interface-name.ts";
export {
  createPythonHost,
  type HostedLoader,
  type HostedStep,
  type PythonHost,
} from "./python-host.ts";
export type { LogLine } from "./log-lines.ts";
export type { ClassParameter, PythonOptions } from "./python-options.ts";
export { WorkerAhead } from "./worker-ahead.ts";
export { planWorker } from "./worker-plan.ts";
