import type { RandomReader } from "../../../ground/bytes/index.ts";

/** Bytes that are no binary model of XGBoost. */
export class XgboostBinaryError extends Error {}

/** What the old binary format says. */
export interface XgboostBinary {
  readonly features: number;
  /** 0 for regression and two classes. */
  readonly classes: number;
  readonly objective: string;
  readonly booster: string;
  /** Absent for linear models. */
  readonly trees?: number;
  /** `major.minor` of the release that wrote it; absent for those before 1.0. */
  readonly version?: string;
}

const LEARNER_BYTES = 136;
const TREES_BYTES = 160;
const TREE_BYTES = 148;
const NODE_BYTES = 20 + 16;
const MAX_NAME = 64;

/** True when the beginning of a file can be that of a binary model: sizes in reason, then the name of an objective. */
export function looksLikeXgboost(head: Buffer): boolean {
  const start = startOf(head);
  const at = start + LEARNER_BYTES;
  if (head.byteLength < at + 16) return false;
  const length = Number(head.readBigUInt64LE(at));
  return (
    length > 0 &&
    length <= MAX_NAME &&
    /^[a-z]+:[a-z_0-9:]+$|^rank$|^binary$/.test(head.toString("latin1", at + 8, at + 8 + length))
  );
}

/** Some releases write a magic number first. */
function startOf(head: Buffer): number {
  return head.toString("latin1", 0, 4) === "binf" ? 4 : 0;
}

/**
 * Reads the parameters, and walks over the trees to see that all are there.
 * @throws XgboostBinaryError when it is cut short. @see xgboost 1.7, src/learner.cc, LearnerIO::Load; src/gbm/gbtree_model.h
 */
export function readXgboostBinary(reader: RandomReader): XgboostBinary {
  const cursor = new Cursor(reader);
  cursor.skip(startOf(Buffer.from(reader.at(0, 4))));
  const learner = cursor.take(LEARNER_BYTES);
  const [major, minor] = [learner.readUInt32LE(20), learner.readUInt32LE(24)];
  const objective = cursor.name();
  const booster = cursor.name();
  const common = {
    features: learner.readUInt32LE(4),
    classes: learner.readInt32LE(8),
    objective,
    booster,
    ...(major > 0 && major < 100 && { version: `${major}.${minor}` }),
  };
  if (booster === "gblinear") return common;
  return { ...common, trees: walkTrees(cursor) };
}

function walkTrees(cursor: Cursor): number {
  const trees = cursor.take(TREES_BYTES).readInt32LE(0);
  if (trees < 0) throw new XgboostBinaryError(`it states ${trees} trees`);
  for (let index = 0; index < trees; index += 1) {
    const tree = cursor.take(TREE_BYTES);
    const nodes = tree.readInt32LE(4);
    if (nodes <= 0) throw new XgboostBinaryError(`tree ${index} has ${nodes} nodes`);
    cursor.skip(nodes * NODE_BYTES);
    if (tree.readInt32LE(20) > 0) cursor.skip(4 * cursor.length());
  }
  cursor.skip(4 * trees);
  return trees;
}

class Cursor {
  readonly #reader: RandomReader;
  #at = 0;

  constructor(reader: RandomReader) {
    this.#reader = reader;
  }

  take(count: number): Buffer {
    const bytes = Buffer.from(this.#reader.at(this.#at, count));
    this.skip(count);
    return bytes;
  }

  skip(count: number): void {
    this.#at += count;
    if (this.#at > this.#reader.size)
      throw new XgboostBinaryError(
        `it is truncated: it ends at byte ${this.#reader.size}, in the middle of a tree`,
      );
  }

  length(): number {
    return Number(this.take(8).readBigUInt64LE(0));
  }

  name(): string {
    const length = this.length();
    if (length > MAX_NAME) throw new XgboostBinaryError(`a name has ${length} bytes`);
    return this.take(length).toString("latin1");
  }
}
