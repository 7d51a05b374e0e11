import { DT } from "../../tensorflow/index.ts";
import { attr, type GraphBuilder } from "../graph-builder.ts";
import type { SsdPipeline } from "./pipeline.ts";

/** Tensors of a batch before suppression. */
export interface RawDetections {
  /** `[batch, anchors, 4]`, or `[batch, anchors, 1, 4]`. */
  readonly encodings: string;
  readonly encodingsRank: number;
  /** `[batch, anchors, classes]`, with the background first where there is one. */
  readonly logits: string;
  /** `[anchors, 4]`: top, left, bottom, right, as parts of the image. */
  readonly anchors: string;
}

/** Adds box decoding, score conversion and suppression, and the API's four outputs. */
export function addPostprocessing(
  builder: GraphBuilder,
  raw: RawDetections,
  pipeline: SsdPipeline,
): void {
  const boxes = addBoxDecoder(builder, raw, pipeline);
  const scores = addScores(builder, raw, pipeline);
  const [kept = "", keptScores = "", classes = "", count = ""] = builder.loop(
    builder.length(boxes),
    (index, enter) => {
      const own = builder.gather(enter(boxes, DT.float32), index);
      const ownScores = builder.gather(enter(scores, DT.float32), index);
      return addSuppression(builder, { boxes: own, scores: ownScores }, pipeline);
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

/** Encodings are offsets from the anchors. @see object_detection, box_coders/faster_rcnn_box_coder.py */
function addBoxDecoder(
  builder: GraphBuilder,
  raw: RawDetections,
  { boxScales }: SsdPipeline,
): string {
  const encodings =
    raw.encodingsRank === 4
      ? builder.add("Squeeze", [raw.encodings], {
          T: attr.type(DT.float32),
          squeeze_dims: attr.ints([2]),
        })
      : raw.encodings;
  const [top = "", left = "", bottom = "", right = ""] = builder.unpack(raw.anchors, 1, 4);
  const [ty = "", tx = "", th = "", tw = ""] = builder.unpack(encodings, 2, 4);
  const vertical = addAxisDecoder(builder, {
    low: top,
    high: bottom,
    offset: builder.float("RealDiv", ty, builder.floats([boxScales.y])),
    size: builder.float("RealDiv", th, builder.floats([boxScales.height])),
  });
  const horizontal = addAxisDecoder(builder, {
    low: left,
    high: right,
    offset: builder.float("RealDiv", tx, builder.floats([boxScales.x])),
    size: builder.float("RealDiv", tw, builder.floats([boxScales.width])),
  });
  return builder.pack([vertical.low, horizontal.low, vertical.high, horizontal.high], 2);
}

function addAxisDecoder(
  builder: GraphBuilder,
  axis: {
    readonly low: string;
    readonly high: string;
    readonly offset: string;
    readonly size: string;
  },
): { readonly low: string; readonly high: string } {
  const two = builder.floats([2]);
  const length = builder.float("Sub", axis.high, axis.low);
  const centre = builder.float("Add", axis.low, builder.float("RealDiv", length, two));
  const size = builder.float("Mul", builder.float("Exp", axis.size), length);
  const middle = builder.float("Add", builder.float("Mul", axis.offset, length), centre);
  const half = builder.float("RealDiv", size, two);
  return { low: builder.float("Sub", middle, half), high: builder.float("Add", middle, half) };
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

/** Suppression of one image, class by class. @see object_detection, core/post_processing.py, multiclass_non_max_suppression */
function addSuppression(
  builder: GraphBuilder,
  image: { readonly boxes: string; readonly scores: string },
  { classCount, suppression }: SsdPipeline,
): readonly {
  readonly value: string;
  readonly dtype: number;
  readonly shape: readonly number[];
}[] {
  const byClass = builder
    .unpack(image.scores, 1, classCount)
    .map((scores, number) =>
      addClassSuppression(builder, { ...image, scores, number }, suppression),
    );
  const all: Rows = {
    boxes: builder.concat(byClass.map(({ boxes }) => boxes)),
    scores: builder.concat(byClass.map(({ scores }) => scores)),
    classes: builder.concat(byClass.map(({ classes }) => classes)),
  };
  const best = addBest(builder, addClipping(builder, all), suppression.total);
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

function addClassSuppression(
  builder: GraphBuilder,
  own: { readonly boxes: string; readonly scores: string; readonly number: number },
  { scoreThreshold, iouThreshold, perClass }: SsdPipeline["suppression"],
): Rows {
  const candidates = builder.where(
    builder.float("Greater", own.scores, builder.floats([scoreThreshold])),
  );
  const boxes = builder.gather(own.boxes, candidates);
  const scores = builder.gather(own.scores, candidates);
  const selected = builder.add("NonMaxSuppressionV2", [
    boxes,
    scores,
    builder.ints([perClass]),
    builder.floats([iouThreshold]),
  ]);
  const keptScores = builder.gather(scores, selected);
  const zeros = builder.float("ZerosLike", keptScores);
  return {
    boxes: builder.gather(boxes, selected),
    scores: keptScores,
    classes: builder.float("Add", zeros, builder.floats([own.number])),
  };
}

/** Boxes end at the image's edges; what has no area then is no detection. */
function addClipping(builder: GraphBuilder, rows: Rows): Rows {
  const [zero, one] = [builder.floats([0]), builder.floats([1])];
  const edges = builder
    .unpack(rows.boxes, 1, 4)
    .map((edge) => builder.float("Maximum", builder.float("Minimum", edge, one), zero));
  const [top = "", left = "", bottom = "", right = ""] = edges;
  const area = builder.float(
    "Mul",
    builder.float("Sub", bottom, top),
    builder.float("Sub", right, left),
  );
  const visible = builder.where(builder.float("Greater", area, zero));
  return addSelection(builder, { ...rows, boxes: builder.pack(edges, 1) }, visible);
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
