import {
  checkImage,
  imageWay,
  takesImage,
  type ImageDefaults,
} from "../../../models/inputs/index.ts";
import type { PreprocessSettings } from "../../../models/description/index.ts";
import type { TensorSpec } from "../../../models/tensor/index.ts";
import {
  joinRows,
  matchInputs,
  packItems,
  type CallerOptions,
  type ImageReader,
  type NamedTensor,
  type PredictorFacts,
} from "../../plane/index.ts";
import { requestInvalid, shortName, tensorInvalid } from "../request-errors.ts";
import { specsOf, type Question, type SentImage } from "./question.ts";

/** Size of a picture as it was sent, upright, in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What a model is asked. */
export interface PreparedInputs {
  readonly tensors: readonly NamedTensor[];
  /** Of the pictures of the request, in their order. */
  readonly pictures: readonly PictureSize[];
}

/** What preparing needs to know beside the question. */
export interface Preparation {
  readonly model: string;
  readonly facts: PredictorFacts;
  /** The model's own settings with those of the request over them. */
  readonly preprocess: PreprocessSettings;
  readonly images: ImageReader;
  readonly caller: CallerOptions;
}

/**
 * Makes tensors of the pictures of a question, and holds all of its tensors against what the model takes; no worker has seen anything then.
 * A single row may come without the axis of the batch.
 * @throws InferenceError `TENSOR_INVALID` naming the tensor, what came and what is wanted; what `ImageReader.read` throws
 */
export async function prepareInputs(
  question: Question,
  preparation: Preparation,
): Promise<PreparedInputs> {
  const { facts, model } = preparation;
  const specs = specsOf(facts);
  const read = await readImages(question.images, preparation);
  const parts = [...question.tensors, ...read.map(({ tensor }) => tensor)];
  const joined = joinedByName(parts).map((tensor) =>
    withBatchAxis(
      tensor,
      specs?.find(({ name }) => name === tensor.name),
    ),
  );
  const { signature } = facts;
  const tensors =
    specs === undefined || signature === undefined
      ? joined
      : matchInputs({ inputs: joined, isUntyped: true }, signature, model);
  return { tensors, pictures: read.map(({ size }) => size) };
}

interface ReadImage {
  readonly tensor: NamedTensor;
  readonly size: PictureSize;
}

/** One after another: the reader takes them so, and a request takes memory for few of them. */
async function readImages(
  images: readonly SentImage[],
  preparation: Preparation,
): Promise<readonly ReadImage[]> {
  const read: ReadImage[] = [];
  for (const image of images) read.push(await readImage(image, preparation));
  return read;
}

async function readImage(
  { input, bytes }: SentImage,
  { facts, preprocess, images, caller }: Preparation,
): Promise<ReadImage> {
  const defaults = imageDefaults(facts);
  const spec = imageSpec(input ?? preprocess.input, { facts, preprocess, defaults });
  const way = imageWay(spec, preprocess, defaults);
  if (way.kind === "encoded") {
    const { width, height } = checkImage(bytes);
    const { name, shape } = way;
    return {
      tensor: { name, datatype: "BYTES", shape, data: packItems([bytes]) },
      size: { width, height },
    };
  }
  const { tensor, width, height } = await images.read(bytes, way.plan, caller);
  return { tensor, size: { width, height } };
}

/** What is known of a model's pictures by its kind. */
export function imageDefaults({ kind }: PredictorFacts): ImageDefaults {
  return { isRawBlueFirst: kind === "caffe" };
}

/** What the only input is called where the model does not say it. */
const UNNAMED = "input";

interface Chooser {
  readonly facts: PredictorFacts;
  readonly preprocess: PreprocessSettings;
  readonly defaults: ImageDefaults;
}

/** The input that a picture is for: the one that is named, or the only one that can take it. */
function imageSpec(name: string | undefined, { facts, preprocess, defaults }: Chooser): TensorSpec {
  const specs = specsOf(facts);
  if (specs === undefined)
    return { name: name ?? UNNAMED, datatype: "FP32", shape: [-1], isRankUnknown: true };
  const names = specs.map((spec) => `"${shortName(spec.name)}"`).join(", ");
  if (name !== undefined) {
    const found = specs.find((spec) => spec.name === name);
    if (found !== undefined) return found;
    throw requestInvalid(`the model has no input "${shortName(name)}"`, `it takes ${names}`);
  }
  const [first, ...others] = specs.filter((spec) => takesImage(spec, preprocess, defaults));
  if (first !== undefined && others.length === 0) return first;
  const [only] = specs;
  if (specs.length === 1 && only !== undefined) return only; // `imageWay` says why it takes none
  throw requestInvalid(
    first === undefined
      ? `the model takes ${names}, none of which can be made of an image`
      : `the model takes ${names}, and the request does not say which is the image`,
    "name it: input=NAME in the query, or a form's field of that name",
  );
}

function joinedByName(parts: readonly NamedTensor[]): readonly NamedTensor[] {
  const byName = Map.groupBy(parts, ({ name }) => name);
  return [...byName].map(([name, [first, ...others]]) => {
    if (first === undefined) throw new Error("a group has no part"); // it has one at least
    if (others.length === 0) return first;
    const isAlike = others.every(
      ({ datatype, shape }) =>
        datatype === first.datatype &&
        shape.length === first.shape.length &&
        shape.every((axis, at) => at === 0 || axis === first.shape[at]),
    );
    if (isAlike && first.shape.length > 0) return joinRows([first, ...others]);
    throw tensorInvalid({
      tensor: name,
      why: `its ${others.length + 1} parts have different shapes, and cannot be one batch`,
      hint: "send them one by one, or say a size",
    });
  });
}

/** `[784]` for `[-1, 784]` is one row. */
function withBatchAxis(tensor: NamedTensor, spec: TensorSpec | undefined): NamedTensor {
  const isRow =
    spec !== undefined &&
    spec.isRankUnknown !== true &&
    tensor.shape.length === spec.shape.length - 1 &&
    (spec.shape[0] === -1 || spec.shape[0] === 1);
  return isRow ? { ...tensor, shape: [1, ...tensor.shape] } : tensor;
}
