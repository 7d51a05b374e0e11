import { baseType, DT, typeAttr, type Graph } from "../tensorflow/index.ts";
import { attr, GraphBuilder } from "./graph-builder.ts";
import { refuseWords } from "./refusal.ts";
import { isControl, nodeName } from "./tensor-name.ts";

/** What the Object Detection API's exporter calls the kinds of input. */
export const INPUT_TYPES = ["image_tensor", "encoded_image_string_tensor", "tf_example"] as const;

/** How images come in: as pixels, as files, or as files inside of serialized `tf.Example` messages. */
export type InputType = (typeof INPUT_TYPES)[number];

const PIXELS = "image_tensor";
const SCOPE = "DecodeInput";

/** @throws ToolError `USAGE` */
export function parseInputType(word: string): InputType {
  const known = INPUT_TYPES.find((type) => type === word);
  if (known !== undefined) return known;
  throw refuseWords(
    `read --input-type "${word}"`,
    `it is none of ${INPUT_TYPES.join(", ")}`,
    "choose one of these",
  );
}

/**
 * Puts the decoding of images before a graph that takes pixels as `image_tensor`. The new placeholder has the name of the input type and
 * any number of images; all of one call must have the same size.
 * @throws ToolError `USAGE` when the graph has no such input.
 */
export function withInputType(graph: Graph, type: InputType): Graph {
  const pixels = graph.nodes.find(({ name }) => name === PIXELS);
  const isPixels =
    pixels?.op === "Placeholder" && baseType(typeAttr(pixels.attrs.get("dtype"))) === DT.uint8;
  if (!isPixels)
    throw refuseWords(
      `take ${type} as input`,
      `the graph has no placeholder "${PIXELS}" of uint8`,
      "--input-type is for graphs of the Object Detection API; leave it out",
    );
  if (type === PIXELS) return graph;
  const builder = new GraphBuilder(SCOPE);
  const decoded = addDecoder(builder, type);
  const nodes = graph.nodes
    .filter((node) => node !== pixels)
    .map((node) => ({
      ...node,
      inputs: node.inputs.map((input) =>
        nodeName(input) === PIXELS ? (isControl(input) ? `^${decoded}` : decoded) : input,
      ),
    }));
  return { ...graph, nodes: [...builder.nodes, ...nodes] };
}

function addDecoder(builder: GraphBuilder, type: InputType): string {
  const files = builder.add(
    "Placeholder",
    [],
    { dtype: attr.type(DT.string), shape: attr.shape([-1]) },
    type,
  );
  const encoded = type === "tf_example" ? addExampleParser(builder, files) : files;
  const count = builder.length(encoded, DT.string);
  const [images = ""] = builder.loop(count, (index, enter) => {
    const file = builder.gather(enter(encoded, DT.string), index, DT.string);
    // This operation looks at the bytes: it decodes JPEG, PNG and GIF, in old and new TensorFlow.
    const value = builder.add("DecodeJpeg", [file], { channels: attr.int(3) });
    return [{ value, dtype: DT.uint8, shape: [-1, -1, 3] }];
  });
  return images;
}

function addExampleParser(builder: GraphBuilder, examples: string): string {
  const names = builder.texts([], [0]);
  const key = builder.texts(["image/encoded"], []);
  const otherwise = builder.texts([""], []);
  return builder.add("ParseExample", [examples, names, key, otherwise], {
    Nsparse: attr.int(0),
    Ndense: attr.int(1),
    sparse_types: attr.types([]),
    Tdense: attr.types([DT.string]),
    dense_shapes: attr.shapes([[]]),
  });
}
