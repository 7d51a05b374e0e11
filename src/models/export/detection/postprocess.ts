import { DT } from "../../tensorflow/index.ts";
import { attr, type GraphBuilder } from "../graph-builder.ts";
import { addBoxDecoder, type EncodedBoxes } from "./box-decoder.ts";
import type { SsdPipeline, Suppression } from "./pipeline.ts";

/** Tensors of a batch before suppression. */
export interface RawDetections extends EncodedBoxes {
  /** `[batch, anchors, classes]`, with the background first where there is one. */
  readonly logits: string;
  /** `[2]`: how much of the height and of the width is the image; absent where it is all. */
  readonly filled: string | undefined;
}

/** Adds box decoding, score conversion and suppression, and the API's four outputs. */
export function addPostprocessing(
  builder: GraphBuilder,
  raw: RawDetections,
  pipeline: SsdPipeline,
): void {
  const boxes = addBoxDecoder(builder, raw, pipeline.boxCoder);
  const scores = addScores(builder, raw, pipeline);
  const [kept = "", keptScores = "", classes = "", count = ""] = builder.loop(
    builder.length(boxes),
    (index, enter) => {
      const own = builder.gather(enter(boxes, DT.float32), index);
      const ownScores = builder.gather(enter(scores, DT.float32), index);
      const { filled } = raw;
      const window = filled === undefined ? undefined : enter(filled, DT.float32);
      return addSuppression(builder, { boxes: own, scores: ownScores, window }, pipeline);
    },
  );
  const named = builder.float("Add", classes, builder.floats([1]));
  for (const [name, tensor] of [
    ["detection_boxes", kept],
    ["detection_scores", keptScores],
    ["detection_classes", named],
    ["num_detections", count],
  ] as const)
    builder.add("Identity", [tensor], { T: attr.type(DT.float32) }, name);
}

function addScores(builder: GraphBuilder, raw: RawDetections, pipeline: SsdPipeline): string {
  const { scoreConverter, logitScale, hasBackground } = pipeline;
  const logits =
    logitScale === 1
      ? raw.logits
      : builder.float("RealDiv", raw.logits, builder.floats([logitScale]));
  const op = { IDENTITY: "Identity", SIGMOID: "Sigmoid", SOFTMAX: "Softmax" }[scoreConverter];
  const scores = builder.float(op, logits);
  if (!hasBackground) return scores;
  return builder.add(
    "Slice",
    [scores, builder.ints([0, 0, 1], [3]), builder.ints([-1, -1, -1], [3])],
    {
      T: attr.type(DT.float32),
      Index: attr.type(DT.int32),
    },
  );
}

/** Rows of one image that belong together. */
interface Rows {
  readonly boxes: string;
  readonly scores: string;
  readonly classes: string;
}

/** What is seen in one image. */
interface Detected {
  readonly boxes: string;
  readonly scores: string;
  /** As `RawDetections.filled`. */
  readonly window: string | undefined;
}

/** Suppression of one image. @see object_detection, core/post_processing.py, multiclass_non_max_suppression */
function addSuppression(
  builder: GraphBuilder,
  image: Detected,
  { classCount, suppression }: SsdPipeline,
): readonly {
  readonly value: string;
  readonly dtype: number;
  readonly shape: readonly number[];
}[] {
  const kept = suppression.isClassAgnostic
    ? addBestClassSuppression(builder, image, suppression)
    : joinRows(
        builder,
        builder
          .unpack(image.scores, 1, classCount)
          .map((scores, number) =>
            addClassSuppression(builder, { ...image, scores, number }, suppression),
          ),
      );
  const clipped = addClipping(builder, kept, image.window);
  const framed =
    suppression.changesFrame && image.window !== undefined
      ? { ...clipped, boxes: addFrameChange(builder, clipped.boxes, image.window) }
      : clipped;
  const best = addBest(builder, framed, suppression.total);
  const count = builder.length(best.scores);
  const missing = builder.add("Sub", [builder.ints([suppression.total]), count], {
    T: attr.type(DT.int32),
  });
  const number = builder.add("Cast", [count], {
    SrcT: attr.type(DT.int32),
    DstT: attr.type(DT.float32),
  });
  const dtype = DT.float32;
  const { total } = suppression;
  return [
    { value: addPadding(builder, best.boxes, { missing, rank: 2 }), dtype, shape: [total, 4] },
    { value: addPadding(builder, best.scores, { missing, rank: 1 }), dtype, shape: [total] },
    { value: addPadding(builder, best.classes, { missing, rank: 1 }), dtype, shape: [total] },
    { value: number, dtype, shape: [] },
  ];
}

function joinRows(builder: GraphBuilder, parts: readonly Rows[]): Rows {
  return {
    boxes: builder.concat(parts.map(({ boxes }) => boxes)),
    scores: builder.concat(parts.map(({ scores }) => scores)),
    classes: builder.concat(parts.map(({ classes }) => classes)),
  };
}

/** Boxes of one class suppress each other. */
function addClassSuppression(
  builder: GraphBuilder,
  own: { readonly boxes: string; readonly scores: string; readonly number: number },
  suppression: Suppression,
): Rows {
  const classes = builder.float(
    "Add",
    builder.float("ZerosLike", own.scores),
    builder.floats([own.number]),
  );
  return addRowSuppression(builder, { ...own, classes }, suppression);
}

/** A box has its best class; boxes of all classes suppress each other. */
function addBestClassSuppression(
  builder: GraphBuilder,
  { boxes, scores }: Detected,
  suppression: Suppression,
): Rows {
  const best = builder.add("Max", [scores, builder.ints([1], [1])], {
    T: attr.type(DT.float32),
    Tidx: attr.type(DT.int32),
    keep_dims: attr.bool(false),
  });
  const places = builder.add("ArgMax", [scores, builder.ints([1])], {
    T: attr.type(DT.float32),
    Tidx: attr.type(DT.int32),
    output_type: attr.type(DT.int64),
  });
  const classes = builder.add("Cast", [places], {
    SrcT: attr.type(DT.int64),
    DstT: attr.type(DT.float32),
  });
  const most = { ...suppression, perClass: suppression.total };
  return addRowSuppression(builder, { boxes, scores: best, classes }, most);
}

function addRowSuppression(
  builder: GraphBuilder,
  own: Rows,
  { scoreThreshold, iouThreshold, perClass, softSigma }: Suppression,
): Rows {
  const threshold = builder.floats([scoreThreshold]);
  const rows = addSelection(
    builder,
    own,
    builder.where(builder.float("Greater", own.scores, threshold)),
  );
  const inputs = [
    rows.boxes,
    rows.scores,
    builder.ints([perClass]),
    builder.floats([iouThreshold]),
  ];
  if (softSigma === 0)
    return addSelection(builder, rows, builder.add("NonMaxSuppressionV2", inputs));
  // The first operation that knows it, of TensorFlow 1.15.
  const soft = builder.add(
    "NonMaxSuppressionV5",
    [...inputs, threshold, builder.floats([softSigma])],
    { T: attr.type(DT.float32), pad_to_max_output_size: attr.bool(false) },
  );
  return { ...addSelection(builder, rows, soft), scores: `${soft}:1` };
}

/** Boxes end at the image's edges; what has no area then is no detection. */
function addClipping(builder: GraphBuilder, rows: Rows, window: string | undefined): Rows {
  const [zero, one] = [builder.floats([0]), builder.floats([1])];
  const [height = one, width = one] = window === undefined ? [] : builder.unpack(window, 0, 2);
  const edges = builder
    .unpack(rows.boxes, 1, 4)
    .map((edge, at) =>
      builder.float("Maximum", builder.float("Minimum", edge, at % 2 === 0 ? height : width), zero),
    );
  const [top = "", left = "", bottom = "", right = ""] = edges;
  const area = builder.float(
    "Mul",
    builder.float("Sub", bottom, top),
    builder.float("Sub", right, left),
  );
  const visible = builder.where(builder.float("Greater", area, zero));
  return addSelection(builder, { ...rows, boxes: builder.pack(edges, 1) }, visible);
}

/** Boxes as parts of the image, that were parts of what it was padded to. */
function addFrameChange(builder: GraphBuilder, boxes: string, window: string): string {
  const [height = "", width = ""] = builder.unpack(window, 0, 2);
  const one = builder.floats([1]);
  const [tall, wide] = [
    builder.float("RealDiv", one, height),
    builder.float("RealDiv", one, width),
  ];
  return builder.float("Mul", boxes, builder.pack([tall, wide, tall, wide], 0));
}

/** The highest scores, best first. */
function addBest(builder: GraphBuilder, rows: Rows, total: number): Rows {
  const count = builder.add("Minimum", [builder.ints([total]), builder.length(rows.scores)], {
    T: attr.type(DT.int32),
  });
  const top = builder.add("TopKV2", [rows.scores, count], {
    T: attr.type(DT.float32),
    sorted: attr.bool(true),
  });
  return addSelection(builder, rows, `${top}:1`);
}

function addSelection(builder: GraphBuilder, rows: Rows, places: string): Rows {
  return {
    boxes: builder.gather(rows.boxes, places),
    scores: builder.gather(rows.scores, places),
    classes: builder.gather(rows.classes, places),
  };
}

function addPadding(
  builder: GraphBuilder,
  tensor: string,
  { missing, rank }: { readonly missing: string; readonly rank: 1 | 2 },
): string {
  const zero = builder.ints([0]);
  const rows = builder.pack([zero, missing], 0, DT.int32);
  const columns = rank === 2 ? [builder.pack([zero, zero], 0, DT.int32)] : [];
  const paddings = builder.pack([rows, ...columns], 0, DT.int32);
  return builder.add("Pad", [tensor, paddings], {
    T: attr.type(DT.float32),
    Tpaddings: attr.type(DT.int32),
  });
}
