export { mergeMeta, parseOwnMeta, parseText, type OwnMeta } from "./answer-meta.ts";
export type { AnswerContext, AnswerSettings, SeldonAnswer, SeldonCall } from "./contracts.ts";
export { checkDeclared, declaredAxes } from "./declared-shape.ts";
export { parseFeedback } from "./feedback.ts";
export {
  ALL_BRANCHES,
  branchIn,
  feedbackRouting,
  NO_BRANCH,
  withRouting,
} from "./graph-routing.ts";
export { graphOf } from "./graph-of-predictor.ts";
export { nodeOf, resolveMetadata } from "./metadata.ts";
export { SeldonRequestParser, type FormField, type ParseOptions } from "./parse-request.ts";
export { badInput, noJson, SeldonError, type SeldonReason } from "./seldon-error.ts";
export {
  rawMetrics,
  SeldonAnswerWriter,
  writeData,
  type AnswerParts,
  type DataToWrite,
} from "./write-answer.ts";
