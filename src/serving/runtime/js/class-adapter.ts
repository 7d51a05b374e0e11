import {
  defaultNames,
  type ComponentFacts,
  type ComponentMessage,
  type ComponentMethod,
  type ComponentRequest,
  type ComponentResponse,
  type Payload,
} from "../../plane/index.ts";
import { jsonText, type TextStyle } from "./json-text.ts";
import { membersOf, type MemberName, type Members, type Method } from "./members.ts";
import { checkMetrics } from "./metrics.ts";
import { ContractError } from "./user-error.ts";
import { axesOf, parseLoose, payloadOf, valueOf } from "./values.ts";

export interface AdapterOptions extends TextStyle {
  readonly service: string;
  /** `SELDON_STRICT_COMPAT=1`: a missing `predict` is an empty array, and `score` is not asked. */
  readonly isStrict: boolean;
}

const MEMBER: Readonly<Record<ComponentMethod, MemberName>> = {
  predict: "predict",
  "transform-input": "transform_input",
  "transform-output": "transform_output",
  route: "route",
  aggregate: "aggregate",
  "send-feedback": "send_feedback",
  "health-status": "health_status",
  metadata: "init_metadata",
};
const RAW: readonly ComponentMethod[] = [
  "predict",
  "transform-input",
  "transform-output",
  "route",
  "aggregate",
  "send-feedback",
];
const EMPTY: Payload = {
  kind: "tensor",
  tensor: { name: "", datatype: "FP64", shape: [0], data: new Uint8Array(0) },
};

/** What a call of user code came to, before names, tags and metrics are added. */
interface Outcome {
  readonly value: unknown;
  /** Stands in place of the value. */
  readonly payload?: Payload;
  readonly tags?: Readonly<Record<string, unknown>>;
  readonly metrics?: unknown;
  readonly isAbsent?: boolean;
}

/** The Seldon class contract over one JavaScript object: the same methods, order and defaults as for a Python class. */
export class ClassAdapter {
  readonly #members: Members;
  readonly #options: AdapterOptions;
  readonly #methods = new Map<MemberName, Method>();
  readonly #classNames: unknown;

  constructor(user: object, options: AdapterOptions) {
    this.#members = membersOf(user);
    this.#options = options;
    for (const name of this.#members.names) {
      const method = this.#members.method(name);
      if (method !== undefined) this.#methods.set(name, method);
    }
    this.#classNames = this.#members.value("class_names");
  }

  /** Runs `load()`, or `init()` as the older JavaScript wrapper calls it, and says what the class has. */
  async load(): Promise<ComponentFacts> {
    const load = this.#methods.get("load") ?? this.#methods.get("init");
    await load?.();
    const metadata = await this.#methods.get("init_metadata")?.();
    const rest = RAW.filter((method) => this.#rawMethod(method) !== undefined);
    const grpc = RAW.filter((method) => this.#rawMethod(method, "grpc") !== undefined);
    return {
      methods: this.#members.names,
      ...(typeof metadata === "object" &&
        metadata !== null && { metadata: jsonText(metadata, this.#options) }),
      wantsWhole: { rest, grpc, grpcForm: "json" },
    };
  }

  /** Answers one request. Throws what user code throws. */
  async call(request: ComponentRequest): Promise<ComponentResponse> {
    const raw =
      request.method === "health-status"
        ? this.#methods.get("health_status_raw")
        : this.#rawMethod(request.method, request.transport);
    const isWhole = request.messages[0]?.payload.kind === "raw";
    if (raw !== undefined && (isWhole || request.method === "health-status"))
      return this.#answerRaw(raw, request);
    const outcome = await this.#answer(request);
    return this.#finish(outcome);
  }

  #rawMethod(
    method: ComponentMethod,
    transport: ComponentRequest["transport"] = "rest",
  ): Method | undefined {
    const name = MEMBER[method];
    const ofRest =
      transport === "grpc" ? undefined : this.#methods.get(`${name}_rest` as MemberName);
    return ofRest ?? this.#methods.get(`${name}_raw` as MemberName); // names that do not exist are not found
  }

  async #answerRaw(
    raw: Method,
    { messages, method }: ComponentRequest,
  ): Promise<ComponentResponse> {
    const whole = messages[0] === undefined ? undefined : valueOf(messages[0].payload);
    const file = messages[1] === undefined ? undefined : valueOf(messages[1].payload);
    const message = file === undefined ? whole : { ...(whole as object), binData: file }; // a message that came as a form is an object
    const answer = await raw(...(method === "health-status" ? [] : [message]));
    return {
      message: { payload: { kind: "raw", json: jsonText(answer, this.#options) }, names: [] },
      isRaw: true,
    };
  }

  #answer(request: ComponentRequest): Promise<Outcome> {
    switch (request.method) {
      case "predict":
        return this.#predict(request);
      case "transform-input":
        return this.#transformInput(request);
      case "transform-output":
        return this.#transform("transform_output", request);
      case "route":
        return this.#route(request);
      case "aggregate":
        return this.#aggregate(request);
      case "send-feedback":
        return this.#feedback(request);
      case "health-status":
        return this.#health();
      case "metadata":
        return Promise.resolve({ value: {}, isAbsent: true });
      default:
        return request.method satisfies never;
    }
  }

  async #predict(request: ComponentRequest): Promise<Outcome> {
    const predict = this.#methods.get("predict");
    if (predict !== undefined) return outcomeOf(await predict(...argumentsOf(request)));
    if (this.#options.service === "MODEL" && !this.#options.isStrict)
      throw new ContractError("Predict not defined");
    return { value: [], isAbsent: true };
  }

  async #transformInput(request: ComponentRequest): Promise<Outcome> {
    const score =
      this.#options.service === "OUTLIER_DETECTOR" && !this.#options.isStrict
        ? this.#methods.get("score")
        : undefined;
    if (score === undefined || this.#methods.has("transform_input"))
      return this.#transform("transform_input", request);
    const [value, names] = argumentsOf(request);
    return { ...passed(request), tags: { outlierScore: await score(value, names) } };
  }

  async #transform(
    name: "transform_input" | "transform_output",
    request: ComponentRequest,
  ): Promise<Outcome> {
    const method = this.#methods.get(name);
    return method === undefined
      ? passed(request)
      : outcomeOf(await method(...argumentsOf(request)));
  }

  async #route(request: ComponentRequest): Promise<Outcome> {
    const route = this.#methods.get("route");
    if (route === undefined) throw new ContractError("Route not defined");
    const { value, ...others } = await outcomeOf(await route(...argumentsOf(request)));
    if (!Number.isInteger(value))
      throw new ContractError(`Routing response must be int but got ${String(value)}`);
    return { ...others, value: [[value]] };
  }

  async #aggregate({ messages }: ComponentRequest): Promise<Outcome> {
    const aggregate = this.#methods.get("aggregate");
    if (aggregate === undefined) throw new ContractError("Aggregate not defined");
    return outcomeOf(
      await aggregate(
        messages.map(({ payload }) => valueOf(payload)),
        messages.map(({ names }) => names),
      ),
    );
  }

  async #feedback({ messages, reward = 0, routing }: ComponentRequest): Promise<Outcome> {
    const feedback = this.#methods.get("send_feedback");
    const [request, truth] = messages;
    const result = await feedback?.(
      valueOf(request?.payload ?? EMPTY),
      request?.names ?? [],
      reward,
      valueOf(truth?.payload ?? EMPTY),
      routing,
    );
    return result === undefined || result === null
      ? { value: undefined, payload: EMPTY, isAbsent: true }
      : outcomeOf(result);
  }

  async #health(): Promise<Outcome> {
    const health = this.#methods.get("health_status");
    return health === undefined ? { value: "healthy" } : outcomeOf(await health());
  }

  async #finish({
    value,
    payload: given,
    tags,
    metrics,
    isAbsent,
  }: Outcome): Promise<ComponentResponse> {
    const payload = given ?? payloadOf(value, this.#options);
    const names = await this.#namesFor(axesOf(payload, value));
    const ownTags = { ...(await this.#optional("tags")), ...tags };
    const ownMetrics = [
      ...checkMetrics(await this.#methods.get("metrics")?.()),
      ...checkMetrics(metrics),
    ];
    return {
      message: { payload, names },
      ...(Object.keys(ownTags).length > 0 && { tags: jsonText(ownTags, this.#options) }),
      ...(ownMetrics.length > 0 && { metrics: jsonText(ownMetrics, this.#options) }),
      isRaw: false,
      ...(isAbsent === true && { isAbsent }),
    };
  }

  async #optional(name: MemberName): Promise<Readonly<Record<string, unknown>>> {
    const value = await this.#methods.get(name)?.();
    return typeof value === "object" && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : {}; // checked: an object
  }

  async #namesFor(axes: readonly number[]): Promise<ComponentMessage["names"]> {
    if (axes.length < 2) return [];
    const names =
      typeof this.#classNames === "function"
        ? await this.#methods.get("class_names")?.()
        : this.#classNames;
    return Array.isArray(names) ? names.map(String) : defaultNames(axes[1] ?? 0);
  }
}

function argumentsOf({
  messages,
  transport,
}: ComponentRequest): readonly [value: unknown, names: readonly string[], meta: unknown] {
  const [message] = messages;
  const meta =
    message?.meta === undefined
      ? transport === "grpc"
        ? {}
        : undefined
      : parseLoose(message.meta);
  return [message === undefined ? undefined : valueOf(message.payload), message?.names ?? [], meta];
}

/** The message as it came. */
function passed({ messages }: ComponentRequest): Outcome {
  return { value: undefined, payload: messages[0]?.payload ?? EMPTY };
}

/** The class for answers with tags and metrics of their own is known by its name, since nothing has to be imported for it. */
async function outcomeOf(result: unknown): Promise<Outcome> {
  if (
    typeof result !== "object" ||
    result === null ||
    result.constructor?.name !== "SeldonResponse"
  )
    return { value: await collected(result) };
  const { data, tags, metrics } = result as { data?: unknown; tags?: unknown; metrics?: unknown };
  return {
    value: await collected(data),
    ...(typeof tags === "object" &&
      tags !== null && { tags: tags as Readonly<Record<string, unknown>> }), // checked: an object
    ...(metrics !== undefined && { metrics }),
  };
}

/** A generator, a Set and what else is iterated as a list; asynchronous ones too. Anything else is left as it is. */
async function collected(value: unknown): Promise<unknown> {
  if (typeof value !== "object" || value === null) return value;
  if (Symbol.asyncIterator in value) return Array.fromAsync(value as AsyncIterable<unknown>); // checked
  const isList = Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof Map;
  return !isList && Symbol.iterator in value ? Array.from(value as Iterable<unknown>) : value; // checked
}
