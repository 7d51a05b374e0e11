/** Operations that are a variable. */
export const VARIABLE_OPS: ReadonlySet<string> = new Set([
  "Variable",
  "VariableV2",
  "AutoReloadVariable",
  "VarHandleOp",
]);

/** Operations on reference types, and the same on values. */
const PLAIN_OPS: ReadonlyMap<string, string> = new Map([
  ["RefEnter", "Enter"],
  ["RefExit", "Exit"],
  ["RefIdentity", "Identity"],
  ["RefMerge", "Merge"],
  ["RefNextIteration", "NextIteration"],
  ["RefSwitch", "Switch"],
]);

/** Operations that hand their input on as it is. A variable's handle goes through them. */
const PASSING: ReadonlySet<string> = new Set([
  "Identity",
  "Enter",
  "Exit",
  "Merge",
  "NextIteration",
  "Switch",
]);

/** Operations that are an identity where nothing is trained, and have one result of the type `T`. */
const IDENTITIES: ReadonlySet<string> = new Set([
  "CheckNumerics",
  "PreventGradient",
  "Print",
  "Snapshot",
  "StopGradient",
]);

const CHANGES =
  /^(?:Assign.*|CountUpTo|Scatter(?:Add|Sub|Mul|Div|Update|Min|Max|Nd(?:Update|Add|Sub|Max|Min))|StridedSliceAssign|(?:Sparse)?Apply.*|Resource(?:Scatter|Apply|SparseApply|StridedSliceAssign|CountUpTo|ConditionalAccumulator).*|(?:Stateful(?:Uniform|StandardNormal|TruncatedNormal|RandomBinomial).*)|RngSkip|RngReadAndSkip)$/;

/** What gives other values on each run, or values that no checkpoint has; and what to call it. */
const OUTSIDE: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/Iterator|Dataset/, "an iterator over data"],
  [/Table/, "a lookup table"],
  [/Queue|Dequeue|Barrier/, "a queue"],
  [/Stage$|Unstage|StagePeek/, "a staging area"],
  [/Reader/, "a reader of files"],
  [/PyFunc/, "Python code of the training program"],
  [/^(?:Temporary|DestroyTemporary)Variable$/, "a variable that lives for one run"],
  [/ConditionalAccumulator|AccumulatorTakeGradient/, "an accumulator of gradients"],
  [/^(?:Restore|RestoreSlice|RestoreV2|Save|SaveSlices|SaveV2)$/, "a checkpoint on disk"],
  [/^(?:_?Send|_?Recv|_HostSend|_HostRecv|RemoteCall)$/, "another machine"],
  [/^Mutex/, "a lock"],
  [/^RefSelect$/, "a choice between variables"],
];

/** True for operations that change a variable. */
export function isChange(op: string): boolean {
  return CHANGES.test(op);
}

/** What an operation takes its values from, when no constant can stand in its place. */
export function outsideSource(op: string): string | undefined {
  return OUTSIDE.find(([pattern]) => pattern.test(op))?.[1];
}

/** The operation without its reference types. */
export function plainOp(op: string): string {
  return PLAIN_OPS.get(op) ?? op;
}

/** True for operations that hand on what they get, handles too. */
export function isPassing(op: string): boolean {
  return PASSING.has(plainOp(op));
}

/** True for operations that are an identity at inference. */
export function isInferenceIdentity(op: string): boolean {
  return IDENTITIES.has(op);
}

/** Operations that call functions with the node's own inputs, and by which attributes. */
export const CALL_ATTRS: ReadonlyMap<string, readonly string[]> = new Map([
  ["PartitionedCall", ["f"]],
  ["StatefulPartitionedCall", ["f"]],
  ["If", ["then_branch", "else_branch"]],
  ["StatelessIf", ["then_branch", "else_branch"]],
  ["Case", ["branches"]],
  ["StatelessCase", ["branches"]],
  ["While", ["cond", "body"]],
  ["StatelessWhile", ["cond", "body"]],
]);

/** Inputs of a calling operation that are not the functions' arguments: a condition, or a branch's number. */
export function leadingInputs(op: string): number {
  return /^(?:Stateless)?(?:If|Case)$/.test(op) ? 1 : 0;
}
