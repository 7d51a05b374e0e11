/**
 * The application layer: one function a use case. Each takes a request and a session, tells what happens as events, and gives a
 * result that is data. What a use case needs is loaded when it is called.
 */
export { COMMANDS, type CommandName, type CommandRequests, type CommandRow } from "./commands.ts";
export type { Candidate, Completion } from "./complete.ts";
export { readOptions } from "./options/read-options.ts";
export {
  LOGIN_OPTIONS,
  reachOptions,
  type OneLogin,
  type Reach,
} from "./options/registry-options.ts";
export type {
  AnyCommandSpec,
  CommandSpec,
  Flag,
  Option,
  OptionContext,
  Options,
  RegistryUse,
} from "./options/option.ts";
export type { AppEvent, ReadyEvent, TrainingEvent } from "./events.ts";
export { formatBytes, formatDuration, shortDigest } from "./format.ts";
export type { ModelLabel, TensorLabel } from "./shown/index.ts";
export {
  createSession,
  type Caller,
  type Directories,
  type Environment,
  type Places,
  type Session,
  type SessionOptions,
  type Standpoint,
} from "./session.ts";
export type {
  ImageResult,
  ImagesResult,
  LayerResult,
  PlanResult,
  TransferResult,
} from "./results.ts";
export type { RegistryAccess } from "./places/registry-access.ts";
export { registryHostOf } from "./places/registry-host.ts";
export type { SeenManifest } from "./places/look.ts";
export type { Moved } from "./places/move.ts";
export type { CopyRequest, PullRequest, PushRequest } from "./places/transfer.ts";
export type { LoginRequest } from "./places/login.ts";
export type { PushForecast } from "./pack/forecast.ts";
export type { PackAndDeliverRequest, PackRequest } from "./pack/pack-project.ts";
export type { OldToolsRequest } from "./old-tools/write-old-tools.ts";
export type { InitRequest } from "./pack/init.ts";
export type { DebianBaseRequest, DebianBaseResult, MadeBase } from "./pack/make-base.ts";
export type { PackdockerPlan, PackdockerResult } from "./packdocker/packdocker.ts";
export type { PackdockerRequest, TestRequest } from "./packdocker/packdocker-request.ts";
export type { FileAnswer } from "./packdocker/post-file.ts";
export type { TrainPackPlan, TrainPackResult } from "./train/train-pack.ts";
export type { TrainPackRequest } from "./train/train-request.ts";
export type { TrainRunRequest, TrainRunResult } from "./train/train-run.ts";
export type {
  ClusterJob,
  ClusterJobRequest,
  JobLogsRequest,
  JobWaitRequest,
} from "./train/train-cluster.ts";
export type { TrainManifestRequest, TrainManifestResult } from "./train/train-manifest.ts";
export type {
  ServeManifestRequest,
  ServeManifestResult,
  SiblingRequest,
} from "./cluster/serve-manifest.ts";
export type { RunRequest } from "./run/run-in-engine.ts";
export type { Prediction, PredictRequest } from "./ask/predict.ts";
export type { ClientRequest, ClientResult } from "./ask/make-client.ts";
export type { BenchRequest, BenchResult } from "./ask/bench.ts";
export type { Measured } from "./ask/measure.ts";
export type { ServeGraphRequest } from "./run/serve-graph-file.ts";
export type { ServeFolderRequest } from "./run/serve-folder.ts";
export type { ServePlaceRequest } from "./run/serve-place.ts";
export type { CheckpointExport, ExportResult, SavedModelExport } from "./export.ts";
export type { ConvertRequest, ConvertResult } from "./convert/convert-model.ts";
export type { BuildRequest } from "./build/build-dockerfile.ts";
export type { DescribedModel } from "./describe/describe-path.ts";
export type { Check } from "./check/checks.ts";
export type { VerifyRequest, VerifyResult } from "./check/verify.ts";
export type { GarbageRequest, GarbageResult } from "./store/collect-garbage.ts";
export type { InspectRequest, InspectResult } from "./store/inspect.ts";
export type { StoredImageResult } from "./store/list.ts";
export type { RemoveOptions } from "./store/remove.ts";
export type { ServedStore, ServeStoreRequest } from "./store/serve-store.ts";
export type { CopyResult } from "../images/copy/index.ts";
export type { MountRequest, PortRequest } from "../images/engine/index.ts";
export type { ImageConfig } from "../images/oci/index.ts";
export type { LoginPlace } from "../images/registry/index.ts";
export type { RequestLogEntry } from "../images/registry-server/index.ts";
export type { Detail, StatedTensor } from "../models/kinds/index.ts";
export type { Ports } from "../models/description/index.ts";
export * from "./use-cases.ts";
