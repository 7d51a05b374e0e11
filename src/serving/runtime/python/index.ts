export {
  createPythonPredictor,
  parseInterfaceName,
  type ClassParameter,
  type PythonPredictor,
  type PythonOptions,
} from "./create-python-predictor.ts";
export type { LogLine } from "./log-lines.ts";
