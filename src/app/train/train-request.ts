import type { Framework, TrainValues } from "../../jobs/train/index.ts";
import type { OldToolRequest } from "../pack/packing-request.ts";

/** Training images to make, as the old tools' pack commands were asked for them. `isPush` is about the GPU image. */
export interface TrainPackRequest extends OldToolRequest {
  readonly framework: Framework;
  /** Values of the old tools' flags, by name. */
  readonly values: TrainValues;
  /** Packs the tool's own exporter of detection models in place of code. Default false. */
  readonly isExporter?: boolean | undefined;
  /** The commands name the container's folders behind the parameters. Default true. */
  readonly hasFolderFlags?: boolean | undefined;
  /** Base in place of the known one. */
  readonly base?: string | undefined;
  /** Another one for the GPU image. */
  readonly gpuBase?: string | undefined;
  /** Files of requirements. Default: `requirements.txt` of the code folder, when it is there. */
  readonly requirements?: readonly string[] | undefined;
  /** Pushes the CPU image too. Default false. */
  readonly isCpuPushed?: boolean | undefined;
  /** Engine that the CPU image is loaded into. Default `auto`: the one that answers. */
  readonly engine?: "auto" | "docker" | "podman" | "none" | undefined;
  /** Card that shall train, such as `V100`, `sm_86` or `9.0`. */
  readonly gpu?: string | undefined;
  /** Version of its driver. */
  readonly driver?: string | undefined;
}
