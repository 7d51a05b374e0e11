import {
  baseType,
  intAttr,
  shapeAttr,
  shapeListAttr,
  typeAttr,
  typeListAttr,
  type GraphNode,
  type OpSignature,
} from "../tensorflow/index.ts";

/**
 * The attributes that give the types of all results, for operations that the file does not
 * describe.
 */
const LISTS = ["component_types", "output_types", "Tout", "dtypes"] as const;
const SINGLE = ["dtype", "out_type", "DstT", "output_type", "T"] as const;

/** Type of a node's result; 0 when nothing says it. @param ops - signatures of operations, as a MetaGraphDef carries them */
export function resultType(
  node: GraphNode,
  slot: number,
  ops: ReadonlyMap<string, OpSignature>,
): number {
  const signature = ops.get(node.op);
  const types = signature === undefined ? undefined : typesOf(node, signature);
  if (types !== undefined) return baseType(types[slot] ?? 0);
  for (const name of LISTS) {
    const type = typeListAttr(node.attrs.get(name))[slot];
    if (type !== undefined) return baseType(type);
  }
  for (const name of SINGLE) {
    const type = typeAttr(node.attrs.get(name));
    if (type !== 0) return baseType(type);
  }
  return 0;
}

/** How many results a node has; `undefined` when its operation's signature is not in the file. */
export function resultCount(
  node: GraphNode,
  ops: ReadonlyMap<string, OpSignature>,
): number | undefined {
  const signature = ops.get(node.op);
  return signature === undefined ? undefined : typesOf(node, signature).length;
}

function typesOf(node: GraphNode, { outputs }: OpSignature): readonly number[] {
  return outputs.flatMap(({ type, typeAttr: attr, numberAttr, typeListAttr: list }) => {
    if (list !== "") return typeListAttr(node.attrs.get(list));
    const one = type === 0 ? typeAttr(node.attrs.get(attr)) : type;
    const count = numberAttr === "" ? 1 : (intAttr(node.attrs.get(numberAttr)) ?? 1);
    return Array.from({ length: Math.min(count, 10_000) }, () => one);
  });
}

/** Shape that the training noted for a node's result; `undefined` when it noted none. For inputs only: of others it may be wrong. */
export function notedShape(node: GraphNode, slot: number): readonly number[] | undefined {
  for (const name of ["_output_shapes", "output_shapes"]) {
    const shape = shapeListAttr(node.attrs.get(name))[slot];
    if (shape !== undefined) return shape;
  }
  return node.op.startsWith("Placeholder") ? shapeAttr(node.attrs.get("shape")) : undefined;
}
