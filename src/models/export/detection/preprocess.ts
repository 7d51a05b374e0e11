import { DT } from "../../tensorflow/index.ts";
import { attr, type GraphBuilder } from "../graph-builder.ts";
import { dataInputs, nodeName } from "../tensor-name.ts";
import type { Nodes } from "./find-heads.ts";
import type { SsdPipeline } from "./pipeline.ts";
import type { Resizing } from "./resizing.ts";

/** Images as the feature extractor takes them. */
export interface Preprocessed {
  /** `[batch, height, width, channels]`. */
  readonly images: string;
  /** Tensor with the number of images. */
  readonly batchSize: string;
  /** `[2]`: how much of the height and of the width is the image, where the rest is padding. */
  readonly filled: string | undefined;
}

/** The same picture in, the same numbers out as the API's preprocessing gives. */
export function addPreprocessing(
  builder: GraphBuilder,
  nodes: Nodes,
  pipeline: SsdPipeline,
): Preprocessed {
  const pixels = builder.add(
    "Placeholder",
    [],
    { dtype: attr.type(DT.uint8), shape: attr.shape([-1, -1, -1, 3]) },
    "image_tensor",
  );
  const floats = builder.add("Cast", [pixels], {
    SrcT: attr.type(DT.uint8),
    DstT: attr.type(DT.float32),
  });
  const isFirst = isNormalisedFirst(nodes);
  const start = isFirst ? addNormalisation(builder, floats, pipeline) : floats;
  const { images: resized, filled } = addResizing(builder, start, pipeline.resize);
  const seen = pipeline.isGrey ? addGrey(builder, resized) : resized;
  const images = isFirst ? seen : addNormalisation(builder, seen, pipeline);
  return { images, filled, batchSize: builder.length(images) };
}

const NORMALISATION = /^((?:.*\/)?Preprocessor(?:_\d+)?\/)(?:mul|sub)$/;

/** Newer releases of the API normalise before they resize; what they pad with is then not normalised. */
function isNormalisedFirst(nodes: Nodes): boolean {
  for (const node of nodes.values()) {
    const scope = NORMALISATION.exec(node.name)?.[1];
    if (scope === undefined) continue;
    const others = dataInputs(node.inputs).map(nodeName);
    const sources = others.filter((name) => nodes.get(name)?.op !== "Const");
    if (sources.some((name) => NORMALISATION.test(name))) continue;
    return sources.length > 0 && sources.every((name) => !name.startsWith(scope));
  }
  return false;
}

/** Residual networks take three channels less their means, and one channel as it is. */
function addNormalisation(
  builder: GraphBuilder,
  images: string,
  { scale, offset, isGrey }: SsdPipeline,
): string {
  if (isGrey && offset.length > 1) return images;
  const scaled = scale === 1 ? images : builder.float("Mul", builder.floats([scale]), images);
  const shape = offset.length === 1 ? [] : [offset.length];
  return builder.float("Sub", scaled, builder.floats(offset, shape));
}

function addResizing(
  builder: GraphBuilder,
  images: string,
  resize: Resizing,
): Pick<Preprocessed, "images" | "filled"> {
  if (resize.kind === "none") return { images, filled: undefined };
  if (resize.kind === "fixed") {
    const size = builder.ints([resize.height, resize.width], [2]);
    return { images: addResize(builder, { images, size, op: resize.op }), filled: undefined };
  }
  const size = addRangeSize(builder, images, resize);
  const resized = addResize(builder, { images, size, op: resize.op });
  if (resize.padding === undefined) return { images: resized, filled: undefined };
  const longest = builder.ints([resize.longest, resize.longest], [2]);
  const missing = builder.add("Sub", [longest, size], { T: attr.type(DT.int32) });
  const filled = builder.float(
    "RealDiv",
    toFloats(builder, size),
    builder.floats([resize.longest, resize.longest], [2]),
  );
  return { images: addPadding(builder, { images: resized, missing }, resize.padding), filled };
}

function addResize(
  builder: GraphBuilder,
  { images, size, op }: { readonly images: string; readonly size: string; readonly op: string },
): string {
  return builder.add(op, [images, size], {
    T: attr.type(DT.float32),
    align_corners: attr.bool(false),
  });
}

/** The size within the range that keeps the sides' ratio, `[2]`. @see tensorflow, image_ops_impl.py, resize_images, preserve_aspect_ratio */
function addRangeSize(
  builder: GraphBuilder,
  images: string,
  { shortest, longest }: Extract<Resizing, { readonly kind: "range" }>,
): string {
  const shape = builder.add("Shape", [images], {
    T: attr.type(DT.float32),
    out_type: attr.type(DT.int32),
  });
  const [begin, end, step] = [[1], [3], [1]].map((values) => builder.ints(values, [1]));
  const sides = toFloats(
    builder,
    builder.add("StridedSlice", [shape, begin ?? "", end ?? "", step ?? ""], {
      T: attr.type(DT.int32),
      Index: attr.type(DT.int32),
    }),
  );
  const [height = "", width = ""] = builder.unpack(sides, 0, 2);
  const target = builder.float(
    "Select",
    builder.float("Less", height, width),
    builder.floats([shortest, longest], [2]),
    builder.floats([longest, shortest], [2]),
  );
  const [first = "", second = ""] = builder.unpack(builder.float("RealDiv", target, sides), 0, 2);
  const scale = builder.float("Minimum", first, second);
  const size = builder.float("Round", builder.float("Mul", scale, sides));
  return builder.add("Cast", [size], {
    SrcT: attr.type(DT.float32),
    DstT: attr.type(DT.int32),
  });
}

function toFloats(builder: GraphBuilder, whole: string): string {
  return builder.add("Cast", [whole], {
    SrcT: attr.type(DT.int32),
    DstT: attr.type(DT.float32),
  });
}

/** Pads with zeros; other values are taken off before and added again. */
function addPadding(
  builder: GraphBuilder,
  { images, missing }: { readonly images: string; readonly missing: string },
  padding: readonly number[],
): string {
  const rows = builder.add(
    "ConcatV2",
    [builder.ints([0], [1]), missing, builder.ints([0], [1]), builder.ints([0])],
    {
      T: attr.type(DT.int32),
      Tidx: attr.type(DT.int32),
      N: attr.int(3),
    },
  );
  const paddings = builder.pack([builder.ints([0, 0, 0, 0], [4]), rows], 1, DT.int32);
  const pad = (tensor: string): string =>
    builder.add("Pad", [tensor, paddings], {
      T: attr.type(DT.float32),
      Tpaddings: attr.type(DT.int32),
    });
  if (padding.every((value) => value === 0)) return pad(images);
  const values = builder.floats(padding, [padding.length]);
  return builder.float("Add", pad(builder.float("Sub", images, values)), values);
}

/** Weights of red, green and blue. @see object_detection, core/preprocessor.py, _rgb_to_grayscale */
const GREY = [0.2989, 0.587, 0.114] as const;

function addGrey(builder: GraphBuilder, images: string): string {
  const weighted = builder.float("Mul", images, builder.floats(GREY, [3]));
  return builder.add("Sum", [weighted, builder.ints([3], [1])], {
    T: attr.type(DT.float32),
    Tidx: attr.type(DT.int32),
    keep_dims: attr.bool(true),
  });
}
