import type { CallOptions } from "../../ground/bytes/index.ts";
import type {
  ModelKind,
  PostprocessSettings,
  PreprocessSettings,
} from "../../models/description/index.ts";
import type { Signature, Tensor } from "../../models/tensor/index.ts";
import type { GraphComponent } from "./graph-component.ts";
import type { SpanContext } from "./trace-context.ts";

/** A value that travels beside tensors. 64-bit integers that a double cannot hold are text. */
export type ParameterValue = string | number | boolean;
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** A tensor with its name, and with what the protocol says beside it, such as `content_type`. */
export interface NamedTensor extends Tensor {
  readonly parameters?: Parameters;
}

/** A body that nobody takes apart: the model gets it as it came. */
export interface RawBody {
  /** As the client said it; empty when it said nothing. */
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** The request that it came with, for classes that look at more than the body. */
  readonly request?: RawRequest;
}

/** What an HTTP request says beside its body. */
interface RawRequest {
  readonly method: string;
  /** Behind the question mark, as it came; empty without one. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The model's own body, as it goes back. */
export interface RawAnswer extends RawBody {
  /** HTTP status, 200 to 599. */
  readonly status: number;
}

/** Who asks a model, as far as waiting goes. */
export interface CallerOptions extends CallOptions {
  /**
   * Asked for when a call cannot begin at once, and not otherwise, since a signal costs more than a small call does. Its abort takes the
   * call out of the queue and rejects it; a call that has begun goes on.
   */
  whileWaiting?(): AbortSignal;
  /** Takes a header of the answer, which over gRPC is a trailer; the name in lower case. Absent where answers have none. */
  answerHeader?(name: string, value: string): void;
  /** When the answer is of no use any more, in ms of `performance.now()`. A call that still waits then is refused with `MODEL_TIMEOUT`. */
  readonly deadlineAt?: number | undefined;
  /** Calls with smaller numbers, from 1 on, leave a queue before others; those without one come last. */
  readonly priority?: number | undefined;
}

/** One question to a model, whatever protocol it came by. */
export interface InferRequest {
  /** Named tensors in any order, each name once; or the body as it came. */
  readonly inputs: readonly NamedTensor[] | RawBody;
  /**
   * True when the protocol's numbers have no datatypes of their own, so that those of `inputs` are only what JSON shows (INT64, FP64):
   * they are converted to what the signature says. Default false: another datatype is refused.
   */
  readonly isUntyped?: boolean;
  /** True when the only input is the JSON text of a V1 request, for a model that `takesJson`; the only output is the JSON text of the answer then. */
  readonly isJson?: boolean;
  /** True when the answers are taken one by one, for classes that have another method for that. Default false. */
  readonly isStreamed?: boolean;
  readonly parameters?: Parameters;
  /** Names of the outputs that are wanted, in the order in which they are wanted. Default: all, in the model's order. */
  readonly outputs?: readonly string[];
  /** For log lines, spans and events; at most 128 characters of it are kept. Protocols give it back themselves. */
  readonly id?: string;
  /** The span that the call belongs to. */
  readonly trace?: SpanContext;
  /** Headers of the request, names in lower case. Left out unless `wantsHeaders` says that user code asks for them. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly caller?: CallerOptions;
}

/** What a model answers. */
export interface InferResponse {
  /** Named tensors in the order that the request wants, else in the model's own; or the model's own body, for a raw one only. */
  readonly outputs: readonly NamedTensor[] | RawAnswer;
  readonly parameters?: Parameters;
}

/** Which bytes a model was loaded from, as `sha256:` digests; each is absent where it is not known. */
export interface ModelIdentity {
  /** Of the model's file, or of its folder: of the lines that `sha256sum` prints for its files, sorted by name. */
  readonly model?: string;
  /** Of the folder of user code, likewise. */
  readonly code?: string;
  /** Of the image that runs. */
  readonly image?: string;
}

/** What a loaded model is; the same object until it is loaded again. */
export interface PredictorFacts {
  /** Names, datatypes and shapes; -1 for an axis of any length. Absent when only user code knows. */
  readonly signature?: Signature;
  /** Names of classes by index, by the name of the output that has their scores. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  /** What its files are. */
  readonly kind?: ModelKind;
  /** How pictures become its inputs. */
  readonly preprocess?: PreprocessSettings;
  /** What is made of its outputs. */
  readonly postprocess?: PostprocessSettings;
  /** What runs it, as Open Inference names platforms, such as `onnxruntime_onnx` or `python_class`. */
  readonly platform: string;
  /** True when `inputs` may be named tensors. */
  readonly takesTensors: boolean;
  /** True when `inputs` may be a raw body. */
  readonly takesRawBody: boolean;
  /** True when a V1 request may come as one input of `BYTES` with its text. Default false. */
  readonly takesJson?: boolean;
  /** True when several answers may come to one request. */
  readonly streams: boolean;
  /** True when requests may be joined along axis 0. */
  readonly joinsRows: boolean;
  /** True when user code asks for the headers of its request. */
  readonly wantsHeaders: boolean;
  /** Absent where nobody knows. Digests of large files come later than the model. */
  readonly identity?: ModelIdentity | undefined;
}

/** How busy a predictor is at this moment. */
export interface PredictorStats {
  /** Calls that wait for a worker. */
  readonly queued: number;
  /** Calls inside workers. */
  readonly running: number;
  /** Workers that there should be. */
  readonly workers: number;
  /** Workers that answer. */
  readonly ready: number;
  /** Workers started in place of one that died, since the start. */
  readonly restarts: number;
  /** Time that a worker takes for one call, in ms, as learnt from the last ones; absent before the first. */
  readonly callMs?: number;
}

/** A loaded model. A Python worker, an ONNX session, a batcher and a test double are all predictors. */
export interface Predictor extends AsyncDisposable {
  describe(): PredictorFacts;
  /**
   * May be called at any time by many; the predictor queues, within bounds, and settles every call once.
   * @throws InferenceError `TENSOR_INVALID`, `REQUEST_INVALID` (the caller's fault), `UNSUPPORTED` (a raw body where tensors are wanted, or
   * the reverse), `MODEL_FAILED`, `WORKER_CRASHED`, `MODEL_TIMEOUT`, `OVERLOADED`, `MODEL_NOT_READY`; the reason of `caller`'s signal
   */
  infer(request: InferRequest): Promise<InferResponse>;
  /**
   * The answers one by one, as the model gives them; one where it gives one. To end the iteration early tells the model to stop.
   * Absent where the predictor cannot: `answersOf` asks any predictor. A function that needs no `this`.
   */
  readonly inferStream?: (request: InferRequest) => AsyncIterable<InferResponse>;
  /** Absent where nobody counts. */
  readonly stats?: PredictorStats;
  /** The methods of Seldon's class contract, where the model has them itself. Only the Seldon protocol asks: see `graphOf`. */
  readonly graph?: GraphComponent;
  /** Ends at once: calls that are under way fail with `MODEL_NOT_READY`. Disposing waits for them instead. Needs no `this`. */
  readonly abandon?: () => void;
}

/** True for a raw body, false for tensors. */
export function isRaw<T extends RawBody>(inputs: readonly NamedTensor[] | T): inputs is T {
  return "bytes" in inputs;
}

/** The answers of any predictor: streamed where it can, else the one that it gives. */
export function answersOf(
  predictor: Predictor,
  request: InferRequest,
): AsyncIterable<InferResponse> {
  return predictor.inferStream?.(request) ?? single(predictor, request);
}

async function* single(
  predictor: Predictor,
  request: InferRequest,
): AsyncGenerator<InferResponse, void> {
  yield await predictor.infer(request);
}
