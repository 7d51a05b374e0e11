import type { EngineKind, PublishedPort } from "../images/engine/index.ts";
import type { Digest } from "../images/oci/index.ts";
import type { Ports } from "../models/description/index.ts";
import type { CopyProgress } from "../images/copy/index.ts";
import type { Curve, Progress } from "../jobs/train/index.ts";
import type { FileAnswer } from "./packdocker/post-file.ts";

/** What happens while a use case is at work, as data. A caller shows of it what it likes. */
export type AppEvent =
  /** A step begins, in a few words: `pushing registry.test/iris:v1`. */
  | { readonly kind: "step"; readonly text: string }
  /** Something that the caller should know, and that ends nothing. */
  | { readonly kind: "warning"; readonly text: string }
  /** A blob on its way. */
  | CopyProgress
  /** What a program that was started has printed, as it came. */
  | { readonly kind: "output"; readonly text: string }
  /** What a packed server answered to a file. */
  | { readonly kind: "answer"; readonly answer: FileAnswer }
  /** What was started serves, or runs. */
  | ReadyEvent
  /** How far a training run is; told often. */
  | TrainingEvent;

/** A server or a container is up. */
export interface ReadyEvent {
  readonly kind: "ready";
  /** As the caller named it. */
  readonly name: string;
  /** Absent where nothing is known to answer HTTP. */
  readonly url?: string | undefined;
  /** A line for the shell that asks for a prediction. */
  readonly example?: string | undefined;
  /** Of the image that runs. Absent for a folder. */
  readonly digest?: Digest | undefined;
  /** Absent without an engine. */
  readonly container?:
    | {
        readonly id: string;
        readonly engine: EngineKind;
        readonly ports: readonly PublishedPort[];
        /** True when it is left running. */
        readonly isDetached: boolean;
      }
    | undefined;
  /** A folder that is served: its model, and all ports. */
  readonly served?:
    | {
        readonly model: string;
        readonly kind: string;
        readonly ports: Ports;
        readonly address: string;
      }
    | undefined;
}

/** The state of a training run. */
export interface TrainingEvent {
  readonly kind: "training";
  readonly curves: readonly Curve[];
  /** Absent when the program does not say how far it is. */
  readonly progress?: Progress | undefined;
  /** Since the start. */
  readonly elapsedMs: number;
  /** True for the last one: the curves are whole. */
  readonly isOver: boolean;
}
