import { protoMetrics } from "../protobuf/index.ts";
import {
  checkDeclared,
  declaredAxes,
  graphOf,
  parseOwnMeta,
  parseText,
  rawMetrics,
  resolveMetadata,
  SeldonAnswerWriter,
  SeldonError,
  SeldonRequestParser,
  type AnswerContext,
  type AnswerParts,
  type DataToWrite,
  type OwnMeta,
  type ParseOptions,
  type SeldonAnswer,
  type SeldonCall,
} from "../seldon/index.ts";
import type {
  CallerOptions,
  ComponentFacts,
  ComponentMethod,
  ComponentRequest,
  ComponentResponse,
  GraphComponent,
  Payload,
  ServedModel,
} from "../../plane/index.ts";
import type { Signature } from "../../../models/tensor/index.ts";
import type { MetricRegistry } from "../../metrics/index.ts";
import { isLargeText, type Codecs } from "../codecs/codecs.ts";
import {
  bufferOf,
  isObject,
  leastTextBytes,
  type JsonNode,
  type JsonObject,
} from "../json/index.ts";
import { CustomMetrics, type MetricMethod } from "./custom-metrics.ts";
import { failureOf, type Failure } from "./failure.ts";
import { nodeLabels, splitImage, type SeldonSettings } from "./settings.ts";

export interface SeldonApiOptions {
  readonly model: ServedModel;
  readonly settings: SeldonSettings;
  readonly registry: MetricRegistry;
  /** Told about errors that are worth a line in the log. */
  readonly onFailure: (error: unknown, failure: Failure, requestId: string | undefined) => void;
  /** `MODEL_METADATA`, parsed. */
  readonly metadataFromEnv?: JsonNode | undefined;
  /** What the model file says of itself. */
  readonly signature?: Signature | undefined;
  /** For large messages. Default: all are read and written here. */
  readonly codecs?: Codecs | undefined;
}

const METRIC_METHODS: Readonly<Record<ComponentMethod, MetricMethod>> = {
  predict: "predict",
  "transform-input": "inputtransform",
  "transform-output": "outputtransform",
  route: "router",
  aggregate: "aggregate",
  "send-feedback": "feedback",
  "health-status": "health",
  metadata: "predict",
};

const NO_CONTEXT: AnswerContext = { metas: [] };
const NOTHING: OwnMeta = {};

/** The Seldon contract in front of a model, without a transport. */
export class SeldonApi {
  readonly settings: SeldonSettings;
  readonly model: ServedModel;
  readonly codecs: Codecs | undefined;
  readonly writer: SeldonAnswerWriter;
  readonly parser: SeldonRequestParser = new SeldonRequestParser();
  readonly metrics: CustomMetrics;
  readonly #onFailure: SeldonApiOptions["onFailure"];
  #declared:
    | { readonly facts: ComponentFacts; readonly axes: readonly number[] | undefined }
    | undefined;
  readonly #metadata: (facts: ComponentFacts) => JsonObject;

  constructor({
    model,
    settings,
    registry,
    onFailure,
    metadataFromEnv,
    signature,
    codecs,
  }: SeldonApiOptions) {
    const { image, version } = splitImage(settings.unitImage ?? "");
    this.#metadata = (facts) =>
      resolveMetadata({
        user: facts.metadata === undefined ? undefined : parseText(facts.metadata),
        env: metadataFromEnv,
        image,
        version,
        signature,
        isStrict: settings.isStrict,
      });
    this.settings = settings;
    this.model = model;
    this.codecs = codecs;
    this.writer = new SeldonAnswerWriter(settings);
    this.metrics = new CustomMetrics(registry, nodeLabels(settings));
    this.#onFailure = onFailure;
  }

  /** The methods of the model that is in use. @throws InferenceError `MODEL_NOT_READY` */
  get graph(): GraphComponent {
    return graphOf(this.model.predictor);
  }

  /** How requests of a method over REST are to be read. @throws InferenceError `MODEL_NOT_READY` */
  parseOptions(method: ComponentMethod): ParseOptions {
    const whole = this.graph.facts.wantsWhole?.rest;
    return {
      method,
      isWhole: whole !== undefined && whole.includes(method),
      isStrict: this.settings.isStrict,
    };
  }

  /** Asks user code and writes its answer. Rejects with what went wrong. */
  call(
    { request, context }: SeldonCall,
    requestId: string | undefined,
    caller?: CallerOptions,
  ): Promise<SeldonAnswer> {
    if (this.settings.checksShapes) this.check(request);
    const named = requestId === undefined ? request : { ...request, requestId };
    return this.graph
      .call(named, caller)
      .then((response) => this.#answer(request.method, response, context));
  }

  /** Holds a request against the shape that the metadata declares. @throws SeldonError 400 */
  check(request: ComponentRequest): void {
    const { facts } = this.graph;
    if (this.#declared?.facts !== facts) this.#declared = { facts, axes: this.#axesOf(facts) };
    if (this.#declared.axes !== undefined) checkDeclared(request, this.#declared.axes);
  }

  #axesOf(facts: ComponentFacts): readonly number[] | undefined {
    try {
      return declaredAxes(this.#metadata(facts));
    } catch (error) {
      if (error instanceof SeldonError) return undefined; // metadata that is wrong declares nothing, and predictions go on
      throw error;
    }
  }

  /** `/health/status`: user code is asked. */
  health(caller?: CallerOptions): Promise<SeldonAnswer> {
    return this.call(
      { request: { method: "health-status", messages: [] }, context: NO_CONTEXT },
      undefined,
      caller,
    );
  }

  /** The failure behind an error; logs it when it is worth it. */
  failure(error: unknown, requestId?: string): Failure {
    const failure = failureOf(error, this.model.retryAfterSeconds);
    if (failure.isBug || failure.status >= 500) this.#onFailure(error, failure, requestId);
    return failure;
  }

  /** Counts what came with an answer, and gives the class's own tags and metrics as parsed JSON. */
  own(method: ComponentMethod, response: ComponentResponse): OwnMeta {
    if (response.isRaw) {
      const { payload } = response.message;
      const found = payload.kind === "proto" ? protoMetrics(payload) : rawMetrics(payload);
      if (found.length > 0) this.metrics.record(found, METRIC_METHODS[method]);
      return NOTHING;
    }
    if (response.tags === undefined && response.metrics === undefined) return NOTHING;
    const own = parseOwnMeta(response);
    if (own.metrics === undefined || own.metrics.length === 0) return own;
    this.metrics.record(own.metrics, METRIC_METHODS[method]);
    return this.settings.isStrict
      ? { ...own, metrics: own.metrics.map((metric) => withMethod(metric, METRIC_METHODS[method])) }
      : own;
  }

  /** What the request of a feedback call is worth is counted whether user code takes it or not. */
  feedback(
    call: SeldonCall,
    requestId: string | undefined,
    caller?: CallerOptions,
  ): Promise<SeldonAnswer> {
    this.countReward(call.request.reward ?? 0);
    return this.call(call, requestId, caller);
  }

  /** Counts the reward of a feedback call, unless somebody else does. */
  countReward(reward: number): void {
    if (this.settings.countsRewards) this.metrics.reward(reward);
  }

  /** The model's metadata. @throws SeldonError `MICROSERVICE_BAD_METADATA` */
  metadata(): SeldonAnswer {
    return this.writer.node(this.metadataNode());
  }

  /** The same as a value, for protocols other than JSON. @throws SeldonError `MICROSERVICE_BAD_METADATA` */
  metadataNode(): JsonObject {
    return this.#metadata(this.graph.facts);
  }

  #answer(
    method: ComponentMethod,
    response: ComponentResponse,
    context: AnswerContext,
  ): SeldonAnswer | Promise<SeldonAnswer> {
    const parts = { method, response, context, own: this.own(method, response) };
    if (method === "send-feedback") return this.writer.feedback(parts);
    const { payload } = response.message;
    return this.codecs !== undefined && isLargePayload(payload) && !response.isRaw
      ? this.#answerLarge(this.codecs, parts, payload)
      : this.writer.answer(parts);
  }

  async #answerLarge(
    codecs: Codecs,
    parts: AnswerParts,
    payload: DataToWrite["payload"],
  ): Promise<SeldonAnswer> {
    const { sortKeys, asciiOnly } = this.settings;
    const { dataKind } = parts.context;
    const written = await codecs.run("seldon-write", {
      payload,
      dataKind,
      style: { sortKeys, asciiOnly },
    });
    return this.writer.answer({ ...parts, written: bufferOf(written) });
  }
}

function isLargePayload(payload: Payload): payload is DataToWrite["payload"] {
  if (payload.kind === "tensor") return isLargeText(leastTextBytes(payload.tensor));
  if (payload.kind === "bytes") return isLargeText(payload.bytes.byteLength);
  return (
    payload.kind === "array" && payload.datatype !== undefined && isLargeText(payload.json.length)
  );
}

/** The wrapper writes the label `method` into the tags of the metrics that it was given, so that clients see it there. */
function withMethod(metric: JsonNode, method: MetricMethod): JsonNode {
  const tags = isObject(metric) ? metric.get("tags") : undefined;
  return isObject(metric) && isObject(tags)
    ? new Map([...metric, ["tags", new Map([...tags, ["method", method]])]])
    : metric;
}
