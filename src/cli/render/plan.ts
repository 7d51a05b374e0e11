import { parseLocation } from "../../copy/index.ts";
import { isToolError } from "../../errors/index.ts";
import { MEDIA_TYPES, type Sink } from "../../oci/index.ts";
import type { PackedImage, PlannedLayer } from "../../pack/index.ts";
import type { Context } from "../context.ts";
import { openForWriting } from "../places.ts";
import type { LoadedProject } from "../project.ts";
import { formatBytes, formatTable, shortDigest } from "./format.ts";

export interface PlanReport {
  readonly loaded: LoadedProject;
  readonly packed: readonly { readonly image: PackedImage }[];
  readonly names: readonly string[];
  readonly folder: string;
}

/** Shows what an image is made of and what a push would send; asks the registry which blobs it has, and sends nothing. */
export async function reportPlan(context: Context, { loaded, packed, names }: PlanReport): Promise<void> {
  const { reporter } = context;
  const target = names.find((name) => parseLocation(name).kind === "registry");
  const data: unknown[] = [];
  for (const { image } of packed) {
    const there = await presence(image.layers, target, context);
    const rows = image.layers.map((layer, index) => [`${index + 1}`, layer.label, formatBytes(layer.size), layer.digest === undefined ? "not hashed yet" : shortDigest(layer.digest), layer.state, there?.[index] ?? ""]);
    reporter.line(`${loaded.project.name} for ${image.platform.os}/${image.platform.architecture}: ${loaded.project.kind}, ${loaded.project.contract} contract`);
    for (const line of formatTable([["#", "layer", "size", "digest", "state", target === undefined ? "" : "push"], ...rows], [0, 2])) reporter.line(`  ${line}`);
    const upload = image.layers.reduce((sum, layer, index) => sum + (there?.[index] === "send" ? layer.size : 0), 0);
    if (target !== undefined) reporter.line(there === undefined ? `  ${target} cannot be asked what it has` : `  a push to ${target} would send ${formatBytes(upload)}`);
    data.push({ platform: `${image.platform.os}/${image.platform.architecture}`, layers: image.layers.map(({ label, kind, size, digest, state }, index) => ({ label, kind, size, digest, state, push: there?.[index] })), upload });
  }
  reporter.result({ name: loaded.project.name, kind: loaded.project.kind, target, images: data });
}

/** For each layer whether the registry has it; `undefined` when it cannot be asked. */
async function presence(layers: readonly PlannedLayer[], target: string | undefined, context: Context): Promise<readonly ("send" | "there")[] | undefined> {
  if (target === undefined) return undefined;
  try {
    await using place = await openForWriting(target, context);
    const { sink }: { readonly sink: Sink } = place;
    return await Promise.all(layers.map(async ({ digest, size }) => (digest !== undefined && (await sink.has({ mediaType: MEDIA_TYPES.layerTar, digest, size }, context)) ? "there" : "send")));
  } catch (error) {
    if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
    return undefined;
  }
}
