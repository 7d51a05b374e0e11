export type { DockerfileHost, ExecutedLayer, Handover } from "./contracts.ts";
export { buildTarget, type BuiltTarget, type CopiedFile } from "./build/evaluate.ts";
export { environmentOfDockerfile } from "./build/stage-environment.ts";
export { readIgnoreFile, type IgnoreFile } from "./ignore/ignore-file.ts";
export { parseDockerfile, type Dockerfile } from "./syntax/parse-dockerfile.ts";
export { contextTree } from "./tree/context-tree.ts";
