export {
  createPythonComponent,
  parseInterfaceName,
  type ClassParameter,
  type PythonComponent,
  type PythonComponentOptions,
} from "./create-python-component.ts";
export type { LogLine } from "./log-lines.ts";
