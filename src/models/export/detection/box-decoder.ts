import { DT } from "../../tensorflow/index.ts";
import { attr, type GraphBuilder } from "../graph-builder.ts";
import type { BoxCoder } from "./pipeline.ts";

/** Tensors that boxes are made of. */
export interface EncodedBoxes {
  /** `[batch, anchors, 4]`, or `[batch, anchors, 1, 4]`; with 3 in the place of 4 for squares. */
  readonly encodings: string;
  readonly encodingsRank: number;
  /** `[anchors, 4]`: top, left, bottom, right, as parts of the image. */
  readonly anchors: string;
}

/** Adds what makes boxes of encodings, which are offsets from the anchors: `[batch, anchors, 4]`. @see object_detection, box_coders */
export function addBoxDecoder(builder: GraphBuilder, raw: EncodedBoxes, coder: BoxCoder): string {
  const encodings =
    raw.encodingsRank === 4
      ? builder.add("Squeeze", [raw.encodings], {
          T: attr.type(DT.float32),
          squeeze_dims: attr.ints([2]),
        })
      : raw.encodings;
  switch (coder.kind) {
    case "corners": {
      const offsets = builder.float("Mul", encodings, builder.floats([coder.stddev]));
      return builder.float("Add", offsets, raw.anchors);
    }
    case "square": {
      const [vertical, horizontal] = addSides(builder, raw.anchors);
      const area = builder.float("Mul", vertical.length, horizontal.length);
      const length = builder.float("Sqrt", area);
      const sides = [
        { ...vertical, length },
        { ...horizontal, length },
      ] as const;
      const scales = [coder.y, coder.x, coder.length];
      const [y = "", x = "", size = ""] = addScaled(builder, encodings, scales);
      return addBoxes(builder, sides, [y, x, size, size]);
    }
    case "centres": {
      const scales = [coder.y, coder.x, coder.height, coder.width];
      const scaled = addScaled(builder, encodings, scales);
      return addBoxes(builder, addSides(builder, raw.anchors), scaled);
    }
  }
}

/** Encodings by what they are of, each divided by its scale. */
function addScaled(
  builder: GraphBuilder,
  encodings: string,
  scales: readonly number[],
): readonly string[] {
  return builder
    .unpack(encodings, 2, scales.length)
    .map((tensor, at) => builder.float("RealDiv", tensor, builder.floats([scales[at] ?? 1])));
}

/** One side of the anchors. */
interface Side {
  readonly centre: string;
  /** What offset and size are parts of. */
  readonly length: string;
}

/** The vertical side, then the horizontal one. */
function addSides(builder: GraphBuilder, anchors: string): readonly [Side, Side] {
  const [top = "", left = "", bottom = "", right = ""] = builder.unpack(anchors, 1, 4);
  return [addSide(builder, top, bottom), addSide(builder, left, right)];
}

function addSide(builder: GraphBuilder, low: string, high: string): Side {
  const length = builder.float("Sub", high, low);
  const half = builder.float("RealDiv", length, builder.floats([2]));
  return { length, centre: builder.float("Add", low, half) };
}

/** @param scaled - offsets down and to the right, then the logarithms of height and width. */
function addBoxes(
  builder: GraphBuilder,
  [vertical, horizontal]: readonly [Side, Side],
  [y = "", x = "", height = "", width = ""]: readonly string[],
): string {
  const rows = addEnds(builder, vertical, { offset: y, size: height });
  const columns = addEnds(builder, horizontal, { offset: x, size: width });
  return builder.pack([rows.low, columns.low, rows.high, columns.high], 2);
}

function addEnds(
  builder: GraphBuilder,
  { centre, length }: Side,
  encoded: { readonly offset: string; readonly size: string },
): { readonly low: string; readonly high: string } {
  const size = builder.float("Mul", builder.float("Exp", encoded.size), length);
  const middle = builder.float("Add", builder.float("Mul", encoded.offset, length), centre);
  const half = builder.float("RealDiv", size, builder.floats([2]));
  return { low: builder.float("Sub", middle, half), high: builder.float("Add", middle, half) };
}
