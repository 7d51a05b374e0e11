import type { Framework, TrainValues } from "../../jobs/train/index.ts";

/** Training images to make, as the old tools' pack commands were asked for them. */
export interface TrainPackRequest {
  readonly framework: Framework;
  /** Values of the old tools' flags, by name. */
  readonly values: TrainValues;
  /** Of the account in `values`, when it is not there; comes before all others at the images' registry. */
  readonly password?: string | undefined;
  /** Base in place of the known one. */
  readonly base?: string | undefined;
  /** Another one for the GPU image. */
  readonly gpuBase?: string | undefined;
  /** File with rows of the user's own. */
  readonly catalogue?: string | undefined;
  /** Files of requirements. Default: `requirements.txt` of the code folder, when it is there. */
  readonly requirements?: readonly string[] | undefined;
  /** Debian packages, `NAME` or `NAME=VERSION`. */
  readonly apt?: readonly string[] | undefined;
  /** Pushes the CPU image too. Default false. */
  readonly isCpuPushed?: boolean | undefined;
  /** Pushes the GPU image. Default true. */
  readonly isPush?: boolean | undefined;
  /** Engine that the CPU image is loaded into. Default `auto`: the one that answers. */
  readonly engine?: "auto" | "docker" | "podman" | "none" | undefined;
  /** Default `linux/amd64`. */
  readonly platform?: string | undefined;
  /** Card that shall train, such as `V100`, `sm_86` or `9.0`. */
  readonly gpu?: string | undefined;
  /** Version of its driver. */
  readonly driver?: string | undefined;
  /** Packs a copy of the code folder, `NAME-py3` beside it, whose Python files were made Python 3. Default false. */
  readonly isConverted?: boolean | undefined;
  readonly allowSecrets?: readonly string[] | undefined;
  /** Shared libraries that Python packages may miss. */
  readonly allowMissingLibraries?: readonly string[] | undefined;
  readonly indexUrl?: string | undefined;
  readonly extraIndexUrls?: readonly string[] | undefined;
  readonly findLinks?: readonly string[] | undefined;
}
