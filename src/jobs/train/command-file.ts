import { mainModuleOf, PLACES, PYTHON, type TrainJob } from "./contracts.ts";
import { quoteDouble, quoteWord, splitWords } from "./shell-words.ts";

/** Name of the file that the old tools left behind. */
export const COMMAND_FILE_NAME = "uaitrain_cmd.txt";

/** Commands of a job, each as the words that a program would be started with. */
export interface JobCommands {
  /** Main file and its parameters, as the platform and the manifests start them; without the interpreter. */
  readonly deploy: readonly string[];
  /** Python with everything, for the CPU image; inside the container. */
  readonly cpuProgram: readonly string[];
  readonly gpuProgram: readonly string[];
  readonly cpu?: readonly string[] | undefined;
  readonly gpu?: readonly string[] | undefined;
  /** The GPU command as docker takes it today, without `nvidia-docker`. */
  readonly gpuToday?: readonly string[] | undefined;
}

/** Folders of this machine, absolute, for the printed commands. */
export interface HostPaths {
  readonly data: string;
  readonly output: string;
}

const FLAGS = [
  `--work_dir=${PLACES.code}`,
  `--data_dir=${PLACES.data}`,
  `--output_dir=${PLACES.output}`,
  `--log_dir=${PLACES.output}`,
];

/** The lines of the command file, in the form that the documents show. @see the pytorch-pack document, step 4 */
export function commandLines(job: TrainJob, paths: HostPaths): readonly string[] {
  const { cpu, gpu } = imagesOf(job);
  return [
    `CMD Used for deploying: ${startOf(job).trimEnd()}`,
    ...(cpu === undefined
      ? []
      : [
          `CMD for CPU local test: sudo docker run ${dockerTail(job, paths, { image: cpu, isGpu: false })}`,
        ]),
    ...(gpu === undefined
      ? []
      : [
          `CMD for GPU local test: sudo nvidia-docker run ${dockerTail(job, paths, { image: gpu, isGpu: true })}`,
        ]),
  ];
}

/** The same as arrays, for programs. */
export function jobCommands(job: TrainJob, paths: HostPaths): JobCommands {
  const { cpu, gpu } = imagesOf(job);
  const mounts = ["-v", `${paths.data}:${PLACES.data}`, "-v", `${paths.output}:${PLACES.output}`];
  const shell = (isGpu: boolean): readonly string[] => ["/bin/bash", "-c", scriptOf(job, isGpu)];
  return {
    deploy: programWords(job),
    cpuProgram: [PYTHON, ...programWords(job), ...standardFlags(job, false)],
    gpuProgram: [PYTHON, ...programWords(job), ...standardFlags(job, true)],
    ...(cpu === undefined
      ? {}
      : { cpu: ["sudo", "docker", "run", "-it", ...mounts, cpu, ...shell(false)] }),
    ...(gpu === undefined
      ? {}
      : {
          gpu: ["sudo", "nvidia-docker", "run", "-it", ...mounts, gpu, ...shell(true)],
          gpuToday: ["docker", "run", "-it", "--gpus", "all", ...mounts, gpu, ...shell(true)],
        }),
  };
}

/** Which images a job has: `self` made one only, and a CPU job pushes none. */
export function imagesOf({ framework, accelerator, names }: TrainJob): {
  readonly cpu?: string;
  readonly gpu?: string;
} {
  if (accelerator === "cpu") return { cpu: names.cpu };
  return framework === "self" ? { gpu: names.gpu } : names;
}

function dockerTail(
  job: TrainJob,
  paths: HostPaths,
  { image, isGpu }: { readonly image: string; readonly isGpu: boolean },
): string {
  return `-it -v ${quoteWord(`${paths.data}:${PLACES.data}`)} -v ${quoteWord(`${paths.output}:${PLACES.output}`)} ${image} /bin/bash -c ${quoteDouble(scriptOf(job, isGpu))}`;
}

function scriptOf(job: TrainJob, isGpu: boolean): string {
  return `cd ${PLACES.code} && ${PYTHON} ${startOf(job)} ${standardFlags(job, isGpu).join(" ")}`.trimEnd();
}

/**
 * Main file and parameters as a shell reads them; two spaces come before the standard flags where there are no parameters, as ever.
 * Parameters in which a shell would find something to do are quoted word by word: the script gets what was written.
 */
function startOf(job: TrainJob): string {
  const words = programWords(job).map(quoteWord);
  const isPlain = /^[\w@%+=:,./ -]*$/.test(job.trainParams);
  return job.framework !== "caffe" && isPlain
    ? `${mainWords(job).map(quoteWord).join(" ")} ${job.trainParams}`
    : words.join(" ");
}

function programWords(job: TrainJob): readonly string[] {
  return [
    ...mainWords(job),
    ...(job.framework === "caffe" ? caffeWords(job) : splitWords(job.trainParams)),
  ];
}

/** What Python is started with: a file, a module, or the helper that hands over to a shell script. */
function mainWords({ mainFile }: TrainJob): readonly string[] {
  const module = mainModuleOf(mainFile);
  if (module !== undefined) return ["-m", module];
  const path = mainFile.startsWith("/") ? mainFile : `${PLACES.code}/${mainFile}`;
  return /\.(?:sh|bash)$/.test(mainFile) ? ["-m", "uaitrain.shell", path] : [path];
}

function caffeWords({ solver, snapshot }: TrainJob): readonly string[] {
  return [
    `--solver=${solver ?? ""}`,
    ...(snapshot === undefined ? [] : [`--snapshot=${snapshot}`]),
  ];
}

function standardFlags(
  { framework, numGpus, hasFolderFlags }: TrainJob,
  isGpu: boolean,
): readonly string[] {
  const caffe = framework === "caffe" ? [`--use_cpu=${isGpu ? "False" : "True"}`] : [];
  const gpus = isGpu && numGpus !== undefined ? [`--num_gpus=${numGpus}`] : [];
  return [...caffe, ...gpus, ...(hasFolderFlags ? FLAGS : [])];
}
