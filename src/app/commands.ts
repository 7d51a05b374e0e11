import type { Framework } from "../jobs/train/index.ts";
import type { UaiFramework } from "../jobs/uai/index.ts";
import type { CommandSpec, NoRequest } from "./options/option.ts";
import type { OldToolsRequest } from "./old-tools/write-old-tools.ts";
import type { InitRequest } from "./pack/init.ts";
import type { PackWords } from "./pack/pack-commands.ts";
import type { BuildWords } from "./build/build-command.ts";
import type { CopyRequest, PullRequest, PushRequest } from "./places/transfer.ts";
import type { LoginWords } from "./places/login-commands.ts";
import type {
  InspectWords,
  ListWords,
  RemoveWords,
  ServeStoreWords,
} from "./store/store-commands.ts";
import type { VerifyRequest } from "./check/verify.ts";
import type { DoctorWords } from "./check/check-commands.ts";
import type { RunRequest } from "./run/run-in-engine.ts";
import type { BenchWords, PredictWords } from "./ask/ask-commands.ts";
import type { ClientRequest } from "./ask/make-client.ts";
import type { MicroserviceWords, ServeWords } from "./run/serve-commands.ts";
import type { GarbageRequest } from "./store/collect-garbage.ts";
import type { CompletionWords } from "./completion-command.ts";
import type { ServeManifestRequest } from "./cluster/serve-manifest.ts";
import type { CheckpointExport, SavedModelExport } from "./export.ts";
import type { ConvertRequest } from "./convert/convert-model.ts";
import type { ExporterWords } from "./export-commands.ts";
import type { DebianBaseRequest } from "./pack/make-base.ts";
import type { TrainPackWords } from "./train/train-pack-command.ts";
import type { TrainRunRequest } from "./train/train-run.ts";
import type { ClusterJobRequest, JobLogsRequest, JobWaitRequest } from "./train/train-cluster.ts";
import type { TrainManifestRequest } from "./train/train-manifest.ts";
import type { JoinWords, SplitWords } from "./train/train-part-commands.ts";
import type { PackdockerWords } from "./packdocker/packdocker-command.ts";

/** A command as `slipway --help` shows it. What else is known of it is loaded when it is asked for. */
export interface CommandRow<Request> {
  /** Title that it stands under; absent for a command below another. */
  readonly group?: string | undefined;
  /** What it does, in one line. */
  readonly summary: string;
  readonly load: () => Promise<CommandSpec<Request>>;
}

/** The request that each command's words make; `train run` stands below `train`. */
export type CommandRequests = {
  readonly init: InitRequest;
  readonly pack: PackWords;
  readonly build: BuildWords;
  readonly packdocker: NoRequest;
  readonly "old-tools": OldToolsRequest;
  readonly export: NoRequest;
  readonly "export tf-checkpoint": CheckpointExport;
  readonly "export saved-model": SavedModelExport;
  readonly "export inference-graph": ExporterWords;
  readonly convert: ConvertRequest;
  readonly base: NoRequest;
  readonly "base debian": DebianBaseRequest;
  readonly train: NoRequest;
  readonly "train pack": TrainPackWords;
  readonly "train run": TrainRunRequest;
  readonly "train manifest": TrainManifestRequest;
  readonly "train logs": JobLogsRequest;
  readonly "train wait": JobWaitRequest;
  readonly "train delete": ClusterJobRequest;
  readonly "train split": SplitWords;
  readonly "train join": JoinWords;
  readonly push: PushRequest;
  readonly pull: PullRequest;
  readonly copy: CopyRequest;
  readonly login: LoginWords;
  readonly logout: Pick<LoginWords, "host">;
  readonly ls: ListWords;
  readonly inspect: InspectWords;
  readonly verify: VerifyRequest;
  readonly doctor: DoctorWords;
  readonly run: RunRequest;
  readonly serve: ServeWords;
  readonly predict: PredictWords;
  readonly bench: BenchWords;
  readonly client: ClientRequest;
  readonly "seldon-core-microservice": MicroserviceWords;
  readonly manifest: ServeManifestRequest;
  readonly registry: ServeStoreWords;
  readonly rm: RemoveWords;
  readonly gc: GarbageRequest;
  readonly completion: CompletionWords;
} & { readonly [Mode in UaiFramework as `packdocker ${Mode}`]: PackdockerWords } & {
  readonly [Tool in Framework]: NoRequest;
} & { readonly [Tool in Framework as `${Tool} pack`]: TrainPackWords };

/** A command's words, such as `push` or `train run`. */
export type CommandName = keyof CommandRequests;

/** Every command, in the order that help shows them. */
export const COMMANDS: { readonly [Name in CommandName]: CommandRow<CommandRequests[Name]> } = {
  init: row(
    "Build",
    "look at a folder and write slipway.yaml",
    async () => (await import("./pack/pack-commands.ts")).INIT_COMMAND,
  ),
  pack: row(
    "Build",
    "make an image from a model folder",
    async () => (await import("./pack/pack-commands.ts")).PACK_COMMAND,
  ),
  build: row(
    "Build",
    "make an image from a Dockerfile, without a daemon",
    async () => (await import("./build/build-command.ts")).BUILD_COMMAND,
  ),
  packdocker: row(
    "Build",
    "make an inference image with the flags of uai_tool.py",
    async () => (await import("./packdocker/packdocker-command.ts")).PACKDOCKER_COMMAND,
  ),
  "packdocker self": packdockerMode("self"),
  "packdocker tf": packdockerMode("tf"),
  "packdocker caffe": packdockerMode("caffe"),
  "packdocker keras": packdockerMode("keras"),
  "packdocker mxnet": packdockerMode("mxnet"),
  "packdocker pytorch": packdockerMode("pytorch"),
  "packdocker onnx": packdockerMode("onnx"),
  "packdocker sklearn": packdockerMode("sklearn"),
  "packdocker xgboost": packdockerMode("xgboost"),
  "old-tools": row(
    "Build",
    "write uai_tool.py and its siblings, for scripts that call them",
    async () => (await import("./old-tools/old-tools-command.ts")).OLD_TOOLS_COMMAND,
  ),
  export: row(
    "Build",
    "freeze a training checkpoint into one graph file",
    async () => (await import("./export-commands.ts")).EXPORT_COMMAND,
  ),
  "export tf-checkpoint": row(
    undefined,
    "freeze a TensorFlow checkpoint and its graph into one file, without TensorFlow",
    async () => (await import("./export-commands.ts")).CHECKPOINT_COMMAND,
  ),
  "export saved-model": row(
    undefined,
    "freeze a SavedModel into one file, without TensorFlow",
    async () => (await import("./export-commands.ts")).SAVED_MODEL_COMMAND,
  ),
  "export inference-graph": row(
    undefined,
    "export with the flags of the Object Detection API's export_inference_graph.py",
    async () => (await import("./export-commands.ts")).EXPORTER_COMMAND,
  ),
  convert: row(
    "Build",
    "make an ONNX file of a model, and compare their answers",
    async () => (await import("./convert/convert-command.ts")).CONVERT_COMMAND,
  ),
  base: row(
    "Build",
    "make a Debian base image from packages",
    async () => (await import("./pack/pack-commands.ts")).BASE_COMMAND,
  ),
  "base debian": row(
    undefined,
    "make a Debian image from packages, without root and without a container, and keep it in the local store",
    async () => (await import("./pack/pack-commands.ts")).DEBIAN_COMMAND,
  ),
  train: row(
    "Train",
    "pack, run and submit training code",
    async () => (await import("./train/train-pack-command.ts")).TRAIN_COMMAND,
  ),
  "train pack": row(
    undefined,
    "make a CPU and a GPU image from training code, and the commands that run them",
    async () => (await import("./train/train-pack-command.ts")).TRAIN_PACK_COMMAND,
  ),
  "train run": row(
    undefined,
    "run the local test of a packed job with docker or podman, and follow it",
    async () => (await import("./train/train-run-command.ts")).TRAIN_RUN_COMMAND,
  ),
  "train manifest": row(
    undefined,
    "print the Kubernetes object that runs a packed job, or apply it",
    async () => (await import("./train/train-manifest-command.ts")).TRAIN_MANIFEST_COMMAND,
  ),
  "train logs": row(
    undefined,
    "print what the pods of a cluster's job say",
    async () => (await import("./train/train-cluster-commands.ts")).TRAIN_LOGS_COMMAND,
  ),
  "train wait": row(
    undefined,
    "wait until a cluster's job has ended well",
    async () => (await import("./train/train-cluster-commands.ts")).TRAIN_WAIT_COMMAND,
  ),
  "train delete": row(
    undefined,
    "remove a cluster's job and its pods",
    async () => (await import("./train/train-cluster-commands.ts")).TRAIN_DELETE_COMMAND,
  ),
  "train split": row(
    undefined,
    "cut a large file into parts of 128 MiB for transport",
    async () => (await import("./train/train-part-commands.ts")).SPLIT_COMMAND,
  ),
  "train join": row(
    undefined,
    "put parts together again; they are removed once the file is whole",
    async () => (await import("./train/train-part-commands.ts")).JOIN_COMMAND,
  ),
  pytorch: oldTrain("pytorch"),
  "pytorch pack": oldTrainPack("pytorch"),
  tf: oldTrain("tf"),
  "tf pack": oldTrainPack("tf"),
  keras: oldTrain("keras"),
  "keras pack": oldTrainPack("keras"),
  caffe: oldTrain("caffe"),
  "caffe pack": oldTrainPack("caffe"),
  mxnet: oldTrain("mxnet"),
  "mxnet pack": oldTrainPack("mxnet"),
  self: oldTrain("self"),
  "self pack": oldTrainPack("self"),
  push: row(
    "Move",
    "copy an image from the local store to its registry",
    async () => (await import("./places/transfer-commands.ts")).PUSH_COMMAND,
  ),
  pull: row(
    "Move",
    "copy an image from a registry into the local store",
    async () => (await import("./places/transfer-commands.ts")).PULL_COMMAND,
  ),
  copy: row(
    "Move",
    "copy an image from anywhere to anywhere",
    async () => (await import("./places/transfer-commands.ts")).COPY_COMMAND,
  ),
  login: row(
    "Move",
    "check a registry credential and keep it where docker does",
    async () => (await import("./places/login-commands.ts")).LOGIN_COMMAND,
  ),
  logout: row(
    "Move",
    "forget a registry credential",
    async () => (await import("./places/login-commands.ts")).LOGOUT_COMMAND,
  ),
  ls: row(
    "Look",
    "list the images of the local store, or the tags of a repository",
    async () => (await import("./store/store-commands.ts")).LIST_COMMAND,
  ),
  inspect: row(
    "Look",
    "show an image: platforms, layers, config, model",
    async () => (await import("./store/store-commands.ts")).INSPECT_COMMAND,
  ),
  verify: row(
    "Look",
    "derive every digest of an image again",
    async () => (await import("./check/check-commands.ts")).VERIFY_COMMAND,
  ),
  doctor: row(
    "Look",
    "check this machine, or whether an image will run",
    async () => (await import("./check/check-commands.ts")).DOCTOR_COMMAND,
  ),
  run: row(
    "Serve",
    "run an image with docker or podman",
    async () => (await import("./run/run-command.ts")).RUN_COMMAND,
  ),
  serve: row(
    "Serve",
    "serve a model folder on this machine",
    async () => (await import("./run/serve-commands.ts")).SERVE_COMMAND,
  ),
  predict: row(
    "Serve",
    "ask a model: at a URL, in a folder or in an image",
    async () => (await import("./ask/ask-commands.ts")).PREDICT_COMMAND,
  ),
  bench: row(
    "Serve",
    "measure a model under load, and propose settings",
    async () => (await import("./ask/ask-commands.ts")).BENCH_COMMAND,
  ),
  client: row(
    "Serve",
    "write a typed client of a server's models, in TypeScript or Python",
    async () => (await import("./ask/ask-commands.ts")).CLIENT_COMMAND,
  ),
  "seldon-core-microservice": row(
    "Serve",
    "serve a class of this folder, with the arguments of Seldon's program",
    async () => (await import("./run/serve-commands.ts")).MICROSERVICE_COMMAND,
  ),
  manifest: row(
    "Serve",
    "write the objects that serve an image on Kubernetes, Seldon Core or KServe",
    async () => (await import("./cluster/serve-manifest-command.ts")).SERVE_MANIFEST_COMMAND,
  ),
  registry: row(
    "Serve",
    "serve the local store as a registry on loopback",
    async () => (await import("./store/store-commands.ts")).SERVE_STORE_COMMAND,
  ),
  rm: row(
    "Tidy",
    "remove a tag from the local store or a registry",
    async () => (await import("./store/store-commands.ts")).REMOVE_COMMAND,
  ),
  gc: row(
    "Tidy",
    "free what no tag in the local store needs",
    async () => (await import("./store/store-commands.ts")).GARBAGE_COMMAND,
  ),
  completion: row(
    "Tidy",
    "print a completion script for bash, zsh or fish",
    async () => (await import("./completion-command.ts")).COMPLETION_COMMAND,
  ),
};

function row<Request>(
  group: string | undefined,
  summary: string,
  load: () => Promise<CommandSpec<Request>>,
): CommandRow<Request> {
  return { group, summary, load };
}

function packdockerMode(framework: UaiFramework): CommandRow<PackdockerWords> {
  const summary =
    framework === "self"
      ? "pack onto a base image of your own, with your own configuration"
      : `pack a class for ${framework} and its model files`;
  return row(undefined, summary, async () =>
    (await import("./packdocker/packdocker-command.ts")).packdockerModeCommand(framework),
  );
}

function oldTrain(framework: Framework): CommandRow<NoRequest> {
  return row(
    "Train",
    `\`${framework} pack\`: the same as train pack --framework ${framework}`,
    async () => (await import("./train/train-pack-command.ts")).oldTrainCommand(framework),
  );
}

function oldTrainPack(framework: Framework): CommandRow<TrainPackWords> {
  return row(
    undefined,
    "make a CPU and a GPU image from training code, and the commands that run them",
    async () => (await import("./train/train-pack-command.ts")).oldTrainPackCommand(framework),
  );
}
