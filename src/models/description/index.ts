export { parseBootDescription, printBootDescription, type BootDescription } from "./boot-file.ts";
export { parseDescription, printDescription } from "./description-file.ts";
export {
  type CodeEntry,
  CONTRACTS,
  type Contract,
  type ModelDescription,
  type Ports,
  type ServerSettings,
  type ServiceType,
} from "./description.ts";
export {
  kindRuntime,
  MODEL_KINDS,
  runtimeOf,
  type KindRuntime,
  type ModelKind,
  type RunnableModel,
} from "./kinds.ts";
export {
  nodesOf,
  type GraphFile,
  type GraphNode,
  type NodeEndpoint,
  type NodeMethod,
  type NodeType,
} from "./graph-file.ts";
export { parseGraphFile, type GraphFileOptions } from "./parse-graph-file.ts";
export { nearestName } from "./nearest.ts";
export type { JsonSchema } from "./json-schema.ts";
export { parseDocumentBy, type CheckedDocument, type DocumentPath } from "./parse-document.ts";
export { parseProjectFile } from "./parse-project-file.ts";
export {
  CHANNELS,
  FITS,
  LAYOUTS,
  RESAMPLING,
  type Channels,
  type Fit,
  type Layout,
  type PostprocessSettings,
  type PreprocessSettings,
  type Resampling,
} from "./processing.ts";
export { parseYaml, printYaml } from "./parse-yaml.ts";
export { printProjectFile } from "./print-project-file.ts";
export {
  MAX_PROJECT_FILE_BYTES,
  PROJECT_FILE_NAME,
  type NodeSource,
  type ProjectFile,
  type ProjectGraph,
  type PythonSettings,
} from "./project-file.ts";
export { isContainerVariable, parseEnvironmentFile } from "./container-env.ts";
export { interfaceNameOf } from "./interface-name.ts";
