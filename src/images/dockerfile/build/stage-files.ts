import { manifestOf, uncompressed, type Digest, type Image } from "../../oci/index.ts";
import type { JsonCache } from "../../recipe/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { ExecutedLayer } from "../contracts.ts";
import { applyLayer } from "../tree/apply-layer.ts";
import type { ImageEntry } from "../tree/image-entry.ts";
import { imageTree, type ImageTree } from "../tree/image-tree.ts";
import { tarIndex } from "../tree/tar-index.ts";
import { folderNode, type FolderNode, type TarSource } from "../tree/tree-node.ts";

/** The files of a stage, which are looked at only when a step needs to know what is there. */
export interface StageFiles {
  /** The files as they are now. */
  tree(): Promise<ImageTree>;
  /** Adds a layer that was made without looking at what is below it. */
  addEntries(entries: readonly ImageEntry[]): void;
  /** Adds layers that executing made. */
  addLayers(layers: readonly ExecutedLayer[]): void;
}

/** What reading layers needs. */
export interface LayerReading extends CallOptions {
  readonly cache: JsonCache;
}

/** @param load - the files that the stage begins with; called once, when they are needed */
export function createStageFiles(
  load: () => Promise<ImageTree>,
  reading: LayerReading,
): StageFiles {
  let loaded: Promise<ImageTree> | undefined;
  let waiting: ((tree: ImageTree) => Promise<void>)[] = [];
  return {
    async tree() {
      const tree = await (loaded ??= load());
      const additions = waiting;
      waiting = [];
      for (const add of additions) await add(tree);
      return tree;
    },
    addEntries: (entries) => void waiting.push(({ root }) => applyEntries(root, entries)),
    addLayers: (layers) =>
      void waiting.push(async ({ root }) => {
        for (const layer of layers) await applyImageLayer(root, layer, reading);
      }),
  };
}

/** The files of an image, read from its layers; what was read before is remembered by the layer. */
export async function loadImageTree(image: Image, reading: LayerReading): Promise<ImageTree> {
  const tree = imageTree();
  const [layers, manifest] = await Promise.all([image.layers(reading), manifestOf(image, reading)]);
  for (const [index, layer] of layers.entries()) {
    const descriptor = manifest.layers[index];
    if (descriptor !== undefined)
      await applyImageLayer(
        tree.root,
        { layer, mediaType: descriptor.mediaType, size: descriptor.size },
        reading,
      );
  }
  return tree;
}

async function applyImageLayer(
  root: FolderNode,
  layer: ExecutedLayer,
  reading: LayerReading,
): Promise<void> {
  const source = layerSource(layer, await layer.layer.diffId(reading));
  await applyLayer(root, await tarIndex(source, reading.cache, { signal: reading.signal }), source);
}

function layerSource({ layer, mediaType }: ExecutedLayer, diffId: Digest): TarSource {
  return {
    key: `layer ${diffId}`,
    open: (options) => uncompressed(layer.open(options), mediaType, options),
  };
}

/** Folders come before what is in them; a folder takes the place of a link. */
async function applyEntries(root: FolderNode, entries: readonly ImageEntry[]): Promise<void> {
  const sorted = entries.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  for (const { path, node } of sorted) {
    const names = path.split("/");
    let folder = root;
    for (const name of names.slice(0, -1)) {
      const next = (await folder.entries()).get(name);
      if (next?.kind !== "folder") throw new TypeError(`the layer has no entry above ${path}`);
      folder = next;
    }
    const siblings = await folder.entries();
    const name = names.at(-1) ?? "";
    const there = siblings.get(name);
    if (node.kind !== "folder") siblings.set(name, node);
    else
      siblings.set(
        name,
        folderNode(node, there?.kind === "folder" ? await there.entries() : new Map()),
      );
  }
}
