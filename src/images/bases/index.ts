export { addDebianPackages, type AddedPackages, type AddPackagesOptions } from "./add-packages.ts";
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
export { inspectDebian } from "./inspect-debian.ts";
export { factsOfImage, layersLabel } from "./facts.ts";
