export { buildDebianBase } from "./build-base.ts";
export type {
  AptOptions,
  BaseFacts,
  BlobStore,
  BuildStep,
  BuiltBase,
  DebianArchitecture,
  DebianBase,
  DebianBaseOptions,
  DebianLock,
  DebianPackage,
  DirectoryFacts,
  InstalledPackage,
  PythonFacts,
} from "./contracts.ts";
export { readBaseFacts } from "./facts.ts";
