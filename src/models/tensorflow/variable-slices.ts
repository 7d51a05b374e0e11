import { WireError, WireReader } from "../../ground/wire/index.ts";
import type { Extent } from "./tensor-entry.ts";

/** A variable that is a part of a partitioned one, as the training noted it. */
export interface VariableSlice {
  /** Name of the whole variable: its key in checkpoints. */
  readonly key: string;
  readonly shape: readonly number[];
  readonly extents: readonly Extent[];
}

const MAX_RANK = 254;

/**
 * Reads the parts of partitioned variables out of a collection of variables (CollectionDef with VariableDefs).
 * @returns by the name of the variable's node
 * @see tensorflow, core/framework/variable.proto
 */
export function parseVariableSlices(collection: Buffer): ReadonlyMap<string, VariableSlice> {
  const slices = new Map<string, VariableSlice>();
  for (const list of messagesIn(collection, 2))
    for (const definition of messagesIn(list, 1)) addSlice(definition, slices);
  return slices;
}

function addSlice(definition: Buffer, slices: Map<string, VariableSlice>): void {
  const name = messagesIn(definition, 1)[0]?.toString("utf8");
  const info = messagesIn(definition, 4)[0];
  if (name === undefined || info === undefined) return;
  const shape = numbersIn(info, 2);
  const [offsets, lengths] = [numbersIn(info, 3), numbersIn(info, 4)];
  slices.set(name.replace(/:0$/, ""), {
    key: messagesIn(info, 1)[0]?.toString("utf8") ?? "",
    shape,
    extents: shape.map((size, axis) => ({
      start: offsets[axis] ?? 0,
      length: lengths[axis] ?? size,
    })),
  });
}

/** The length-delimited fields of a number. */
function messagesIn(bytes: Buffer, number: number): readonly Buffer[] {
  const reader = new WireReader(bytes);
  const found: Buffer[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((number << 3) | 2)) found.push(reader.bytes());
    else reader.skip(tag);
  }
  return found;
}

/** Whole numbers of a field, packed or not. */
function numbersIn(bytes: Buffer, number: number): readonly number[] {
  const reader = new WireReader(bytes);
  const found: number[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((number << 3) | 0)) found.push(Number(reader.int64()));
    else if (tag === ((number << 3) | 2)) {
      const outer = reader.enter();
      while (reader.at < reader.end && found.length <= MAX_RANK) found.push(Number(reader.int64()));
      reader.leave(outer);
    } else reader.skip(tag);
  }
  if (found.length > MAX_RANK) throw new WireError(`a shape has more than ${MAX_RANK} axes`);
  return found;
}
