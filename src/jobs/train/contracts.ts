/** What `pack` of the training tools takes a framework by; `self` is an image of the user's own. */
export type Framework = "pytorch" | "tf" | "keras" | "caffe" | "mxnet" | "self";

/** Every framework, in the order of the documents. */
export const FRAMEWORKS: readonly Framework[] = [
  "pytorch",
  "tf",
  "keras",
  "caffe",
  "mxnet",
  "self",
];

/** What the pushed image runs on. */
export type Accelerator = "cpu" | "gpu";

/** Names of the two images. */
export interface ImageNames {
  /** `NAME-cpu:TAG`: for this machine, in no registry. */
  readonly cpu: string;
  /** `REGISTRY/NAMESPACE/NAME:TAG`. */
  readonly gpu: string;
}

/** A training job as its flags say, checked and with defaults; paths as the user wrote them. */
export interface TrainJob {
  readonly framework: Framework;
  readonly accelerator: Accelerator;
  /** Folder with all the code; absent where the image has what runs. */
  readonly codePath?: string | undefined;
  /** Main file, relative to the code folder, joined by `/`; or `-m` and a module; or an absolute path of the image. */
  readonly mainFile: string;
  /** True when the tool's own exporter of detection models is what runs. */
  readonly isExporter: boolean;
  /** True when the commands name the container's folders (`--work_dir`, `--data_dir`, `--output_dir`, `--log_dir`) behind the parameters. */
  readonly hasFolderFlags: boolean;
  /** As the user wrote them: shell words. */
  readonly trainParams: string;
  readonly dataPath: string;
  readonly outputPath: string;
  readonly names: ImageNames;
  /** Such as `pytorch-2.6.0`; absent when the user's own image says what there is. */
  readonly release?: string | undefined;
  /** Such as `ubuntu-16.04`, when the user said so. */
  readonly os?: string | undefined;
  /** Such as `python-3.6.2`, when the user said so. */
  readonly python?: string | undefined;
  /** The user's own image: taken as it is. */
  readonly ownImage?: string | undefined;
  /** Caffe: solver file relative to the code folder. */
  readonly solver?: string | undefined;
  /** Caffe: state to go on from. */
  readonly snapshot?: string | undefined;
  /** Goes into the command of the GPU image when it was given. */
  readonly numGpus?: number | undefined;
}

/** Where things are in a training container. */
export const PLACES = { code: "/data", data: "/data/data", output: "/data/output" } as const;

/** Where the exporter of detection models is, below `PLACES.code`: the documented job's start command names it. */
export const EXPORTER_MAIN = "object_detection/export_inference_graph.py";

/** Its parameters where none are given: the newest checkpoint of the data folder. */
export const EXPORTER_PARAMETERS: string = [
  "--input_type image_tensor",
  `--pipeline_config_path ${PLACES.data}/pipeline.config`,
  `--trained_checkpoint_prefix ${PLACES.data}`,
  `--output_directory ${PLACES.output}/`,
].join(" ");

/** The interpreter in a training image: its own, or a link to it. */
export const PYTHON = "/usr/bin/python";

/** In a training image: starts processes, with their environment and in their folder, and hands signals on. */
export const LAUNCHER = "/opt/slipway/train/uaitrain/launch.py";

/** The module of a main file that is written `-m package.module`; `undefined` for a path. */
export function mainModuleOf(mainFile: string): string | undefined {
  return /^-m\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)$/.exec(mainFile)?.[1];
}
