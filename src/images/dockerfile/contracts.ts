import type { BaseImage, PackContext } from "../recipe/index.ts";
import type { Image, Layer, Platform } from "../oci/index.ts";

/** The first executing steps of a stage, for a builder that can run them. */
export interface Handover {
  /** The stage so far; `undefined` for one that stands on nothing. */
  readonly image: Image | undefined;
  readonly platform: Platform;
  /** Lines of a Dockerfile that stand behind its `FROM`. */
  readonly lines: readonly string[];
  /** Variables that the lines see, by name. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Variables of the image that the lines run with, `NAME=VALUE`. */
  readonly environment: readonly string[];
  /** Images that the lines copy or mount from, by the name they use. */
  readonly images: ReadonlyMap<string, Image>;
  /** The place, the instruction and why it is not done here: for the message. */
  readonly reason: string;
}

/** A layer that executing made. */
export interface ExecutedLayer {
  readonly layer: Layer;
  readonly mediaType: string;
  /** Bytes as stored. */
  readonly size: number;
}

/** What a build needs from outside. */
export interface DockerfileHost {
  readonly pack: PackContext;
  /** Opens an image by the name that a Dockerfile uses. @throws what finding it throws. */
  openImage(name: string, platform: Platform): Promise<BaseImage>;
  /** Has steps run by a builder. @returns the layers they made, lowest first. @throws ToolError `ENGINE_MISSING`, `ENGINE_FAILED`. */
  execute(handover: Handover): Promise<readonly ExecutedLayer[]>;
}
