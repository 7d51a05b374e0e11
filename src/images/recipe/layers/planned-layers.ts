import { ToolError } from "../../../ground/errors/index.ts";
import { manifestOf, type Layer } from "../../oci/index.ts";
import type { BaseImage } from "../base-image.ts";
import type { PlannedLayer } from "../packed-image.ts";
import type { StoredLayer } from "./small-layer.ts";

/** What container runtimes can mount. @see moby/buildkit issue 3067 */
const MAX_LAYERS = 127;

/** A layer of ours as a plan shows it. */
export function plannedLayer(
  label: string,
  kind: PlannedLayer["kind"],
  { layer, descriptor, isNew }: StoredLayer,
): PlannedLayer {
  return {
    label,
    kind,
    state: isNew ? "new" : "cached",
    size: descriptor.size,
    digest: descriptor.digest,
    layer,
  };
}

/**
 * The layers of an image: the base's, then ours.
 * @throws ToolError `LAYER_LIMIT` when they are more than runtimes mount.
 */
export async function withBaseLayers(
  base: BaseImage,
  ours: readonly PlannedLayer[],
  signal: AbortSignal | undefined,
): Promise<readonly PlannedLayer[]> {
  const descriptors = (await manifestOf(base.image, { signal })).layers;
  const count = descriptors.length + ours.length;
  if (count > MAX_LAYERS) {
    throw new ToolError(
      "LAYER_LIMIT",
      `pack on "${base.name}": the image would have ${count} layers, and container runtimes mount ${MAX_LAYERS} at most`,
      {
        hint: `the base has ${descriptors.length}; choose a flatter one`,
      },
    );
  }
  const layers = await base.image.layers({ signal });
  const theirs = descriptors.map(({ size, digest }, index): PlannedLayer => {
    return {
      label: labelOf(base, index, descriptors.length),
      kind: "base",
      state: "base",
      size,
      digest,
      layer: layers[index] as Layer,
    }; // an image has a layer for each descriptor
  });
  return [...theirs, ...ours];
}

/** Packages that the project asked for stand on top of the base. */
function labelOf({ added }: BaseImage, index: number, count: number): string {
  if (added === undefined || index < count - added.layers) return `base layer ${index + 1}`;
  const part = index - (count - added.layers) + 1;
  return `Debian: ${added.packages.join(", ")}${added.layers > 1 ? ` (${part} of ${added.layers})` : ""}`;
}
