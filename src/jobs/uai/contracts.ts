/** What `packdocker` can be told to pack. `self` brings a base image and a configuration of its own. */
export const FRAMEWORKS = [
  "self",
  "tf",
  "caffe",
  "keras",
  "mxnet",
  "pytorch",
  "onnx",
  "sklearn",
  "xgboost",
] as const;

export type UaiFramework = (typeof FRAMEWORKS)[number];

/** Everything that the flags say, checked as far as flags alone go. */
export interface UaiJob {
  readonly framework: UaiFramework;
  /** As written: absolute, or relative to the working folder. */
  readonly folder: string;
  /** Full name with registry and tag. */
  readonly image: string;
  /** The user's own base image. */
  readonly baseImage?: string | undefined;
  /** Such as `tensorflow-2.19.0`. */
  readonly release?: string | undefined;
  /** Such as `ubuntu-16.04`, when the user said so. */
  readonly os?: string | undefined;
  /** Such as `python-3.6.2`, when the user said so. */
  readonly python?: string | undefined;
  /** `self` only: the configuration's file, relative to the working folder or to `folder`. */
  readonly confFile?: string | undefined;
  /** All modes but `self`. */
  readonly model?: UaiModel | undefined;
}

/** The class and the model files of a job. */
export interface UaiModel {
  /** Python's import name. */
  readonly mainModule: string;
  readonly mainClass: string;
  /** As written, relative to the folder. */
  readonly modelDir: string;
  readonly modelName: string;
  readonly isOneFile: boolean;
  readonly archType: string;
  readonly epoch: number;
}

/** The folder that images of this contract work in. */
export const SERVER_ROOT = "/ai-ucloud-client-django";
export const CONF_NAME = "ufile.json";

/** How the old tool's images start the server that the vendor's bases bring: a shell's line, as its Dockerfile had it. */
export const GUNICORN_COMMAND: readonly string[] = [
  "/bin/sh",
  "-c",
  `cd ${SERVER_ROOT} && gunicorn -c gunicorn.conf.py httpserver.wsgi`,
];
