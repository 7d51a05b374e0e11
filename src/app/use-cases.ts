// Each use case is loaded when it is first called, so that a caller of one does not wait for the others.

/** Packs a project folder, keeps its images in the store, and takes them where the request says. */
export const pack: typeof import("./pack/pack-project.ts").packProject = async (...args) =>
  (await import("./pack/pack-project.ts")).packProject(...args);

/** Tells what packing and pushing a project would come to. */
export const planPack: typeof import("./pack/pack-project.ts").planProject = async (...args) =>
  (await import("./pack/pack-project.ts")).planProject(...args);

/** Looks at a folder and writes `slipway.yaml` with what it finds. */
export const initProject: typeof import("./pack/init.ts").initProject = async (...args) =>
  (await import("./pack/init.ts")).initProject(...args);

/** Makes a Debian base from packages, without root and without a container. */
export const makeDebianBase: typeof import("./pack/make-base.ts").makeDebianBase = async (
  ...args
) => (await import("./pack/make-base.ts")).makeDebianBase(...args);

/** Makes an inference image as the old tool's command of this name did. */
export const packdocker: typeof import("./packdocker/packdocker.ts").packdocker = async (...args) =>
  (await import("./packdocker/packdocker.ts")).packdocker(...args);

/** Tells what `packdocker` would make. */
export const planPackdocker: typeof import("./packdocker/packdocker.ts").planPackdocker = async (
  ...args
) => (await import("./packdocker/packdocker.ts")).planPackdocker(...args);

/** Makes the images of a training job, takes them where they belong, and writes the commands that run them. */
export const trainPack: typeof import("./train/train-pack.ts").trainPack = async (...args) =>
  (await import("./train/train-pack.ts")).trainPack(...args);

/** Tells what `trainPack` would make; leaves only the command file. */
export const planTrainPack: typeof import("./train/train-pack.ts").planTrainPack = async (
  ...args
) => (await import("./train/train-pack.ts")).planTrainPack(...args);

/** Runs a packed training job on this machine and tells what came of it. */
export const trainRun: typeof import("./train/train-run.ts").trainRun = async (...args) =>
  (await import("./train/train-run.ts")).trainRun(...args);

/** Renders a cluster's object for a packed training job, writes it, or hands it to kubectl. */
export const trainManifest: typeof import("./train/train-manifest.ts").trainManifest = async (
  ...args
) => (await import("./train/train-manifest.ts")).trainManifest(...args);

/** Tells what the pods of a cluster's training job print. */
export const readJobLogs: typeof import("./train/train-cluster.ts").readJobLogs = async (...args) =>
  (await import("./train/train-cluster.ts")).readJobLogs(...args);

/** Waits until a cluster's training job has ended well. */
export const waitForJob: typeof import("./train/train-cluster.ts").waitForJob = async (...args) =>
  (await import("./train/train-cluster.ts")).waitForJob(...args);

/** Removes a training job of a cluster. */
export const deleteJob: typeof import("./train/train-cluster.ts").deleteJob = async (...args) =>
  (await import("./train/train-cluster.ts")).deleteJob(...args);

/** Renders the objects that serve a model on a cluster, writes them, compares them, or hands them to kubectl. */
export const serveManifest: typeof import("./cluster/serve-manifest.ts").serveManifest = async (
  ...args
) => (await import("./cluster/serve-manifest.ts")).serveManifest(...args);

/** Copies an image of the local store to its registry. */
export const push: typeof import("./places/transfer.ts").push = async (...args) =>
  (await import("./places/transfer.ts")).push(...args);

/** Copies an image from its registry into the local store. */
export const pull: typeof import("./places/transfer.ts").pull = async (...args) =>
  (await import("./places/transfer.ts")).pull(...args);

/** Writes Python files with the old tools' names, which hand over to this program. */
export const writeOldTools: typeof import("./old-tools/write-old-tools.ts").writeOldTools = async (
  ...args
) => (await import("./old-tools/write-old-tools.ts")).writeOldTools(...args);

/** Copies an image from any place to any other. */
export const copy: typeof import("./places/transfer.ts").copy = async (...args) =>
  (await import("./places/transfer.ts")).copy(...args);

/** Asks a registry whether it takes a credential, and keeps it where docker does. */
export const logIn: typeof import("./places/login.ts").logIn = async (...args) =>
  (await import("./places/login.ts")).logIn(...args);

/** Forgets a credential. */
export const logOut: typeof import("./places/login.ts").logOut = async (...args) =>
  (await import("./places/login.ts")).logOut(...args);

/** Runs an image until it ends; detached, until it is ready. */
export const run: typeof import("./run/run.ts").run = async (...args) =>
  (await import("./run/run.ts")).run(...args);

/** Serves a folder, or a graph when its file is named, until the session is aborted. */
export const serve: typeof import("./run/serve.ts").serve = async (...args) =>
  (await import("./run/serve.ts")).serve(...args);

/** Asks a model for predictions, and gives each answer as it comes. */
export const predict: typeof import("./ask/predict.ts").predict = async function* (...args) {
  yield* (await import("./ask/predict.ts")).predict(...args);
};

/** Writes a typed client of a server's models. */
export const makeClient: typeof import("./ask/make-client.ts").makeClient = async (...args) =>
  (await import("./ask/make-client.ts")).makeClient(...args);

/** Measures a model under load. */
export const bench: typeof import("./ask/bench.ts").bench = async (...args) =>
  (await import("./ask/bench.ts")).bench(...args);

/** The report of a measurement, as a page. */
export const benchReport: (
  result: import("./ask/bench.ts").BenchResult,
) => Promise<string> = async (result) =>
  (await import("./ask/bench-report.ts")).benchReport(result);

/** Serves a project folder as it lies until the session is aborted. */
export const serveFolder: typeof import("./run/serve-folder.ts").serveFolder = async (...args) =>
  (await import("./run/serve-folder.ts")).serveFolder(...args);

/** Runs the graph of a SeldonDeployment until the session is aborted. */
export const serveGraphFile: typeof import("./run/serve-graph-file.ts").serveGraphFile = async (
  ...args
) => (await import("./run/serve-graph-file.ts")).serveGraphFile(...args);

/** The Python that serves a folder: named, its virtual environment, the active one, or the machine's. */
export const findPython: typeof import("./run/describe-project.ts").findPython = async (...args) =>
  (await import("./run/describe-project.ts")).findPython(...args);

/** Says whether an image is whole and will run. */
export const checkImage: typeof import("./check/check-image.ts").checkImage = async (...args) =>
  (await import("./check/check-image.ts")).checkImage(...args);

/** Checks this machine, what a command needs of it, or an image. */
export const doctor: typeof import("./check/doctor.ts").doctor = async (...args) =>
  (await import("./check/doctor.ts")).doctor(...args);

/** Says whether this machine, and a registry, are as the tool needs them. */
export const checkMachine: typeof import("./check/check-machine.ts").checkMachine = async (
  ...args
) => (await import("./check/check-machine.ts")).checkMachine(...args);

/** Derives every digest of an image again. */
export const verifyImage: typeof import("./check/verify.ts").verifyImage = async (...args) =>
  (await import("./check/verify.ts")).verifyImage(...args);

/** Reads manifests and configs of an image; no layer. */
export const inspectImage: typeof import("./store/inspect.ts").inspectImage = async (...args) =>
  (await import("./store/inspect.ts")).inspectImage(...args);

/** The bytes of a manifest or index. */
export const readManifest: typeof import("./store/inspect.ts").readManifest = async (...args) =>
  (await import("./store/inspect.ts")).readManifest(...args);

/** The images of the local store. */
export const listImages: typeof import("./store/list.ts").listImages = async (...args) =>
  (await import("./store/list.ts")).listImages(...args);

/** The tags of a repository. */
export const listTags: typeof import("./store/list.ts").listTags = async (...args) =>
  (await import("./store/list.ts")).listTags(...args);

/** The repositories of a registry. */
export const listRepositories: typeof import("./store/list.ts").listRepositories = async (
  ...args
) => (await import("./store/list.ts")).listRepositories(...args);

/** Removes a name of the store or of a registry. */
export const removeImage: typeof import("./store/remove.ts").removeImage = async (...args) =>
  (await import("./store/remove.ts")).removeImage(...args);

/** Frees what no name of the store needs. */
export const collectGarbage: typeof import("./store/collect-garbage.ts").collectGarbage = async (
  ...args
) => (await import("./store/collect-garbage.ts")).collectGarbage(...args);

/** Serves the local store as a registry until the session is aborted. */
export const serveStore: typeof import("./store/serve-store.ts").serveStore = async (...args) =>
  (await import("./store/serve-store.ts")).serveStore(...args);

/** Cuts a large file into parts. */
export const splitFile: typeof import("../jobs/train/index.ts").splitFile = async (...args) =>
  (await import("../jobs/train/index.ts")).splitFile(...args);

/** Puts the parts of a file together again. */
export const joinParts: typeof import("../jobs/train/index.ts").joinParts = async (...args) =>
  (await import("../jobs/train/index.ts")).joinParts(...args);

/** Builds an image from a Dockerfile. */
export const buildDockerfile: typeof import("./build/build-dockerfile.ts").buildDockerfile = async (
  ...args
) => (await import("./build/build-dockerfile.ts")).buildDockerfile(...args);

/** Freezes a checkpoint and the graph beside it into one file. */
export const exportCheckpoint: typeof import("./export.ts").exportCheckpoint = async (...args) =>
  (await import("./export.ts")).exportCheckpoint(...args);

/** Freezes a SavedModel into one file. */
export const exportSavedModel: typeof import("./export.ts").exportSavedModel = async (...args) =>
  (await import("./export.ts")).exportSavedModel(...args);

/** Makes an ONNX file of a model, and compares the answers of both. */
export const convertModel: typeof import("./convert/convert-model.ts").convertModel = async (
  ...args
) => (await import("./convert/convert-model.ts")).convertModel(...args);

/** Describes a model file or folder from its files alone. */
export const describePath: typeof import("./describe/describe-path.ts").describePath = async (
  ...args
) => (await import("./describe/describe-path.ts")).describePath(...args);

/** Whether a name means a file or folder rather than an image. */
export const isModelPath: typeof import("./places/model-path.ts").isModelPath = async (...args) =>
  (await import("./places/model-path.ts")).isModelPath(...args);

/** The words that may come next on a command line. */
export const complete: typeof import("./complete.ts").complete = async (...args) =>
  (await import("./complete.ts")).complete(...args);
