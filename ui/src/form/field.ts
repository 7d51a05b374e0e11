import type { TensorSpec } from "../server.ts";
import {
  columnsOf,
  isDrawing,
  pictureLayout,
  type TensorValue,
} from "../../../src/serving/calls/index.ts";

/** Ways to fill in an input. */
const EDITORS = ["draw", "image", "numbers", "text", "csv", "json"] as const;
export type EditorName = (typeof EDITORS)[number];

/** A picture as the form has it, and the size in which the model sees it, in pixels. */
export interface PictureShown {
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

/** What an editor has at the moment. */
export interface FieldState {
  readonly value?: TensorValue;
  /** In words for people. */
  readonly problem?: string;
  readonly picture?: PictureShown;
  /** The picture as a file, where the server shall make the tensor of it. */
  readonly file?: Blob;
}

/** What every editor gets. */
export interface EditorProps {
  readonly spec: TensorSpec;
  /** True where the server makes tensors of pictures by settings of the project. */
  readonly isPrepared: boolean;
  readonly onChange: (state: FieldState) => void;
}

/** The editors that fit an input, the handiest first. */
export function editorsOf(spec: TensorSpec): readonly EditorName[] {
  const { datatype, shape, isRankUnknown } = spec;
  const fits: Readonly<Record<EditorName, boolean>> = {
    draw: pictureLayout(spec) !== undefined && isDrawing(shape),
    image: pictureLayout(spec) !== undefined,
    numbers: columnsOf(spec) !== undefined,
    text: datatype === "BYTES" && shape.length <= 2,
    csv: datatype !== "BYTES" && (shape.length <= 2 || isRankUnknown === true),
    json: true,
  };
  return EDITORS.filter((name) => fits[name]);
}
