import type { ComponentRequest } from "../../plane/index.ts";
import type { JsonNode, JsonObject, JsonStyle } from "../json/index.ts";

/** How an array stands in `data`. */
export type DataKind = "tensor" | "ndarray" | "tftensor";

/** What the answer takes from its request. */
export interface AnswerContext {
  /** Kind of the request's `data`; absent when the payload was another one. */
  readonly dataKind?: DataKind;
  /** `meta` objects whose tags, metrics and request path go into the answer, in order. */
  readonly metas: readonly JsonObject[];
  readonly puid?: JsonNode;
}

/** A request in the terms of the class contract. */
export interface SeldonCall {
  readonly request: ComponentRequest;
  readonly context: AnswerContext;
}

/** What a node puts into every answer, and how JSON text looks. */
export interface AnswerSettings extends JsonStyle {
  /** Two spaces per level instead of compact text. */
  readonly isPretty: boolean;
  /** False leaves the class's own metrics out of answers. */
  readonly includeMetrics: boolean;
  /** `PREDICTIVE_UNIT_ID`: key of the request path. */
  readonly unitId?: string;
  /** `PREDICTIVE_UNIT_IMAGE`: value of the request path. */
  readonly unitImage?: string;
}

/** An answer over HTTP. Text is ASCII only. */
export interface SeldonAnswer {
  readonly status: number;
  readonly body: string | Buffer;
}
