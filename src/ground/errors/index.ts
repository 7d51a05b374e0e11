export { ERROR_CODES, type CodeFacts, type ErrorCode, type GrpcStatus } from "./codes.ts";
export {
  ContentError,
  InferenceError,
  ProcessError,
  ProjectError,
  RegistryError,
  type RegistryDiagnostic,
} from "./kinds.ts";
export { bound, redactUrl, stripControls } from "./redact.ts";
export {
  factsOf,
  isRetryable,
  isToolError,
  ToolError,
  type ToolErrorOptions,
} from "./tool-error.ts";
export { explainFullDisk } from "./disk-full.ts";
