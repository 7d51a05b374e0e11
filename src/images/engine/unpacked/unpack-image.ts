import { mkdir, readdir } from "node:fs/promises";
import { arch } from "node:os";
import { ToolError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import { configOf, uncompressed, type Image, type ImageConfig } from "../../oci/index.ts";
import { applyLayer } from "./apply-layer.ts";
import { wrapPythons } from "./wrap-python.ts";

/** An image's files on this machine. */
export interface UnpackedImage {
  /** Absolute path of the folder that stands for `/`. */
  readonly root: string;
  readonly config: ImageConfig;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * Unpacks an image into an empty folder, without root and without a container. Links mean the same
 * as in a container. Python interpreters are wrapped: they start from this folder, with the
 * libraries of the image.
 * @throws ToolError `UNSUPPORTED` for an image of another platform, `USAGE` for a folder that is
 * not empty; ContentError as `applyLayer`.
 */
export async function unpackImage(
  image: Image,
  root: string,
  options: CallOptions = {},
): Promise<UnpackedImage> {
  const config = await configOf(image, options);
  const own = ARCHITECTURES[arch()];
  if (config.os !== "linux" || config.architecture !== own || process.platform !== "linux") {
    throw new ToolError(
      "UNSUPPORTED",
      `unpack an image: it is for ${config.os}/${config.architecture}, and this machine is ${process.platform}/${own ?? arch()}`,
      {
        hint: "choose the platform with --platform, or use a container engine",
      },
    );
  }
  await mkdir(root, { recursive: true, mode: 0o700 });
  if ((await readdir(root)).length > 0)
    throw new ToolError("USAGE", `unpack an image: the folder "${root}" is not empty`);
  for (const layer of await image.layers(options)) {
    const { mediaType } = await layer.descriptor(options);
    await applyLayer(root, uncompressed(layer.open(options), mediaType, options), options);
  }
  await wrapPythons(root);
  return { root, config };
}
