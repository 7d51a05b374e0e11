import {
  dtypeNumber,
  makeShape,
  makeType,
  type Graph,
  type GraphNode,
  type OpSignature,
} from "../tensorflow/index.ts";
import { nameSome, refuseWords } from "./refusal.ts";
import { notedShape, resultType } from "./result-type.ts";
import { isControl, nodeName, slotNumber } from "./tensor-name.ts";

/** An input of the frozen graph in the place of a tensor of the training graph. */
export interface InputReplacement {
  /** Tensor that is replaced, such as `batch:0`. */
  readonly tensor: string;
  /** Name of the placeholder; default the node's own. */
  readonly name: string | undefined;
  /** Type's number; default what the graph says. */
  readonly dtype: number | undefined;
  /** Shape with -1 for unknown sizes; default what the graph notes. */
  readonly shape: readonly number[] | undefined;
}

const WORDS =
  /^(?<tensor>[A-Za-z0-9.][\w.\\/>-]*(?::\d{1,4})?)=(?:(?<name>[A-Za-z0-9.][\w./-]*)(?:(?<colon>:)|$))?(?:(?<dtype>\w+)\[(?<shape>[^\]]*)\])?$/;

/**
 * Reads `NODE[:SLOT]=NAME`, `NODE[:SLOT]=TYPE[SHAPE]` or `NODE[:SLOT]=NAME:TYPE[SHAPE]`; a shape is sizes with `?` for unknown ones.
 * @throws ToolError `USAGE`
 */
export function parseReplacement(words: string): InputReplacement {
  const groups = WORDS.exec(words)?.groups;
  const { tensor, name, colon, dtype, shape } = groups ?? {};
  if (
    tensor === undefined ||
    (name === undefined && dtype === undefined) ||
    (colon !== undefined && dtype === undefined)
  )
    throw badWords(words, "it is none of NODE=NAME, NODE=TYPE[SHAPE] and NODE=NAME:TYPE[SHAPE]");
  const number = dtype === undefined ? undefined : dtypeNumber(dtype);
  if (dtype !== undefined && number === undefined)
    throw badWords(words, `"${dtype}" is no type of TensorFlow`);
  return {
    tensor,
    name,
    dtype: number,
    shape: shape === undefined ? undefined : sizesOf(words, shape),
  };
}

function sizesOf(words: string, text: string): readonly number[] {
  if (text.trim() === "") return [];
  return text.split(",").map((size) => {
    const word = size.trim().toLowerCase();
    if (word === "?" || word === "none" || word === "-1") return -1;
    if (!/^\d{1,12}$/.test(word)) throw badWords(words, `"${word}" is no size`);
    return Number(word);
  });
}

function badWords(words: string, why: string): Error {
  return refuseWords(
    `read --input "${words}"`,
    why,
    "write it as --input batch:0=float32[?,224,224,3] or --input batch:0=images",
  );
}

/**
 * Puts placeholders in the place of tensors.
 * @param ops - signatures of the operations, for types that are not given
 * @throws ToolError `USAGE` when a tensor is not in the graph or its type cannot be known.
 */
export function replaceInputs(
  graph: Graph,
  replacements: readonly InputReplacement[],
  ops: ReadonlyMap<string, OpSignature>,
): Graph {
  let nodes = graph.nodes;
  for (const replacement of replacements) nodes = replaceOne(nodes, replacement, ops);
  return { ...graph, nodes };
}

function replaceOne(
  nodes: readonly GraphNode[],
  replacement: InputReplacement,
  ops: ReadonlyMap<string, OpSignature>,
): readonly GraphNode[] {
  const source = nodeName(replacement.tensor);
  const slot = slotNumber(replacement.tensor);
  const original = nodes.find(({ name }) => name === source);
  if (original === undefined)
    throw refuseWords(
      `replace "${replacement.tensor}" by an input`,
      `the graph has no node "${source}"${similar(nodes, source)}`,
      "name a node of the graph, as a refusal or TensorBoard shows it",
    );
  const placeholder = makePlaceholder(original, slot, { replacement, ops });
  if (nodes.some(({ name }) => name === placeholder.name && name !== source))
    throw refuseWords(
      `replace "${replacement.tensor}" by an input`,
      `the graph has a node "${placeholder.name}" already`,
      "choose another name: --input NODE=NAME:TYPE[SHAPE]",
    );
  // Other results of the node may be needed still; the node gives its name away when the placeholder wants it.
  const moved = placeholder.name === source ? `${source}/replaced` : source;
  const redirect = (input: string): string => {
    if (nodeName(input) !== source) return input;
    if (!isControl(input) && slotNumber(input) === slot) return placeholder.name;
    return input.replace(source, moved);
  };
  return [
    placeholder,
    ...nodes.map((node) => ({
      ...node,
      name: node === original ? moved : node.name,
      inputs: node.inputs.map(redirect),
    })),
  ];
}

function makePlaceholder(
  original: GraphNode,
  slot: number,
  {
    replacement,
    ops,
  }: {
    readonly replacement: InputReplacement;
    readonly ops: ReadonlyMap<string, OpSignature>;
  },
): GraphNode {
  const dtype = replacement.dtype ?? resultType(original, slot, ops);
  if (dtype === 0)
    throw refuseWords(
      `replace "${replacement.tensor}" by an input`,
      "its type is not in the graph",
      `say it: --input ${replacement.tensor}=float32[?]`,
    );
  const shape = replacement.shape ?? notedShape(original, slot);
  return {
    name: replacement.name ?? (slot === 0 ? original.name : `${original.name}_${slot}`),
    op: "Placeholder",
    inputs: [],
    device: "",
    attrs: new Map([
      ["dtype", makeType(dtype)],
      ["shape", makeShape(shape)],
    ]),
  };
}

function similar(nodes: readonly GraphNode[], wanted: string): string {
  const last = wanted.slice(wanted.lastIndexOf("/") + 1).toLowerCase();
  const close = nodes
    .filter(({ name }) => name.toLowerCase().includes(last))
    .map(({ name }) => name);
  return close.length === 0 ? "" : `; it has ${nameSome(close)}`;
}
