import { ROW_FRAMEWORKS } from "../catalogue/index.ts";

/** What `packdocker` can be told to pack. `self` brings a base image and a configuration of its own. */
export const FRAMEWORKS: readonly ["self", ...typeof ROW_FRAMEWORKS] = ["self", ...ROW_FRAMEWORKS];

export type UaiFramework = (typeof FRAMEWORKS)[number];

/** A framework whose model is named by flags. */
export type NamedFramework = Exclude<UaiFramework, "self">;

/** Everything that the flags say, checked as far as flags alone go. */
export type UaiJob = NamedJob | SelfJob;

/** A job whose class and model files are named by flags. */
export interface NamedJob extends JobBasics {
  readonly framework: NamedFramework;
  readonly model: UaiModel;
}

/** A job that brings a configuration of its own. */
export interface SelfJob extends JobBasics {
  readonly framework: "self";
  /** The configuration's file, relative to the working folder or to `folder`. Empty when no flag names it. */
  readonly confFile: string;
}

interface JobBasics {
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
}

/** What is wrong with a flag. */
export interface FlagProblem {
  /** Without the dashes. */
  readonly flag: string;
  readonly why: string;
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
