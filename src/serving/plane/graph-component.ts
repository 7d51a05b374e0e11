import type { Datatype, Tensor } from "../../models/tensor/index.ts";
import type { CallerOptions } from "./contracts.ts";
import type { SpanContext } from "./trace-context.ts";

/** The methods of the Seldon Python class contract, and their JavaScript twins. */
export type ComponentMethod =
  | "predict"
  | "transform-input"
  | "transform-output"
  | "route"
  | "aggregate"
  | "send-feedback"
  | "health-status"
  | "metadata";

/**
 * What travels to and from user code. A `tensor` is numeric and dense, and goes as raw bytes; `array` is a JSON array that no
 * single numeric datatype holds (text, mixed, ragged, null), or the list that user code gave with `datatype`, which an array of it would
 * have; `raw` is a whole protocol message for the `*_raw` methods, in JSON, and
 * `proto` the same as serialised protobuf (SeldonMessage, SeldonMessageList or Feedback); `any` is a serialised google.protobuf.Any.
 */
export type Payload =
  | { readonly kind: "tensor"; readonly tensor: Tensor }
  | { readonly kind: "array"; readonly json: string; readonly datatype?: Datatype }
  | { readonly kind: "json"; readonly json: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "raw"; readonly json: string }
  | { readonly kind: "proto"; readonly bytes: Uint8Array }
  | { readonly kind: "any"; readonly bytes: Uint8Array };

/** One message: a payload with the column names that came or go with it. */
export interface ComponentMessage {
  readonly payload: Payload;
  readonly names: readonly string[];
  /** The names of an answer as JSON text, where user code gave something else than a list of text. */
  readonly namesJson?: string;
  /** The protocol's `meta` object as JSON text; absent when the request had none. */
  readonly meta?: string;
}

export interface ComponentRequest {
  readonly method: ComponentMethod;
  /**
   * One for all methods but `aggregate`; none for `health-status` and `metadata`; request then truth for `send-feedback`. Behind a `raw`
   * one there may be a `bytes` one: its binData.
   */
  readonly messages: readonly ComponentMessage[];
  /** `send-feedback` only. */
  readonly reward?: number;
  /** `send-feedback` only: the branch that a router chose. */
  readonly routing?: number;
  /** The id that log lines of user code carry; at most 128 characters of it are kept. */
  readonly requestId?: string;
  /** The span that the call belongs to, for what user code calls. */
  readonly trace?: SpanContext;
  /** How the request came; the order of deprecated methods and the form of `meta` depend on it. Default `rest`. */
  readonly transport?: "rest" | "grpc";
}

/** What user code gave back. `tags` and `metrics` are JSON text as the code returned them; absent when it has none. */
export interface ComponentResponse {
  readonly message: ComponentMessage;
  readonly tags?: string;
  readonly metrics?: string;
  /** True when a `*_raw` method answered, so that nothing may be added. */
  readonly isRaw: boolean;
  /**
   * True when the method is missing, or returned None where that is allowed. The payload is then
   * the empty array.
   */
  readonly isAbsent?: boolean;
}

/** What a loaded class offers; read once after load. */
export interface ComponentFacts {
  readonly methods: readonly string[];
  /** `init_metadata()`'s answer as JSON text, when the class has one. */
  readonly metadata?: string;
  /** Methods whose request must be sent whole (`raw` over REST, `proto` over gRPC), because a `*_raw`, `*_rest` or `*_grpc` method may want it. */
  readonly wantsWhole?: {
    readonly rest: readonly ComponentMethod[];
    readonly grpc: readonly ComponentMethod[];
    /** `json`: over gRPC too whole messages are wanted, and given back, as `raw`. */
    readonly grpcForm?: "proto" | "json";
  };
  /** Width and column names of the input, where the model itself knows them. */
  readonly features?: { readonly count: number; readonly names: readonly string[] };
}

/**
 * A component of a Seldon graph: the methods of its class contract. An extension of `Predictor` that the Seldon protocol alone asks for.
 * Calls may be concurrent; the implementation queues them.
 */
export interface GraphComponent {
  readonly facts: ComponentFacts;
  /**
   * @throws InferenceError `MODEL_FAILED` (the code raised), `WORKER_CRASHED`, `MODEL_TIMEOUT`, `OVERLOADED`, `REQUEST_INVALID`.
   */
  call(request: ComponentRequest, options?: CallerOptions): Promise<ComponentResponse>;
}

const MAX_NAMED = 65_536;

/** Names of an answer's columns where nobody names any: `t:0`, `t:1`, … */
export function defaultNames(count: number): readonly string[] {
  return Array.from({ length: Math.min(count, MAX_NAMED) }, (_, index) => `t:${index}`);
}
