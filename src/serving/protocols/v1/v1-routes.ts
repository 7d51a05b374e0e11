import { InferenceError } from "../../../ground/errors/index.ts";
import type { TensorSpec } from "../../../models/tensor/index.ts";
import { isRaw, type InferRequest, type NamedTensor, type ServedModel } from "../../plane/index.ts";
import type { Exchange, Reply, Route } from "../../transport/index.ts";
import { isLargeText } from "../codecs/codecs.ts";
import { bufferOf, JsonReader, leastTextBytes } from "../json/index.ts";
import { checkTakes } from "../called-model.ts";
import type { Plane } from "../protocol.ts";
import { headersOf, jsonReply, settle } from "../v2/reply.ts";
import { JSON_TYPE } from "../v2/v2-errors.ts";
import { readCloudEvent, replyAsEvent } from "./cloud-event.ts";
import {
  modelForCall,
  modelMetadata,
  modelNames,
  modelOf,
  modelStatus,
  type ModelPath,
} from "./documents.ts";
import { readPredict, type PredictCall } from "./read-predict.ts";
import { writePredictions } from "./write-predictions.ts";

/** What a path may name: a model, a version of it, or a label. */
const MODEL_PATHS = [
  "/v1/models/{name}",
  "/v1/models/{name}/versions/{version}",
  "/v1/models/{name}/labels/{label}",
] as const;

/** Clients that encode the colon of `:predict` mean the same. */
const COLONS = [":", "%3A", "%3a"] as const;

/** Before each item of `BYTES`. */
const ITEM_LENGTH_BYTES = 4;

const UNSERVED: Readonly<Record<string, string>> = {
  classify: "it takes tensors, and not examples of features to classify",
  regress: "it takes tensors, and not examples of features for a regression",
  explain: "it has no explainer",
};

/** Every path of V1, KServe's and TensorFlow Serving's. */
export function v1Routes(plane: Plane): ReadonlyMap<string, Route> {
  const { models } = plane;
  const get = (answer: (exchange: Exchange) => Reply | Promise<Reply>): Route => ({
    name: "v1-metadata",
    methods: ["GET"],
    handle: (exchange) => settle(plane, exchange, async () => answer(exchange)),
  });
  const post = (name: string, answer: (exchange: Exchange) => Promise<Reply>): Route => ({
    name,
    methods: ["POST"],
    handle: (exchange) => settle(plane, exchange, async () => answer(exchange)),
  });
  const status: Route = {
    // as a probe it has no name, so that it is not counted
    methods: ["GET"],
    handle: (exchange) => settle(plane, exchange, async () => statusReply(plane, exchange)),
  };
  const verbs: readonly (readonly [string, Route])[] = [
    [
      "predict",
      post("v1-predict", async (one) =>
        predictOrEvent(plane, await modelForCall(models, pathOf(one)), one),
      ),
    ],
    ...Object.entries(UNSERVED).map(
      ([verb, why]) =>
        [verb, post("v1-other", async (one) => refuseVerb(plane, one, `${verb}: ${why}`))] as const,
    ),
  ];
  return new Map<string, Route>([
    ["/v1/models", get(() => jsonReply(modelNames(models)))],
    ...MODEL_PATHS.flatMap((path) => [
      [path, status] as const,
      [
        `${path}/metadata`,
        get(async (exchange) => jsonReply(await modelMetadata(modelOf(models, pathOf(exchange))))),
      ] as const,
      ...verbs.flatMap(([verb, route]) =>
        COLONS.map((colon) => [`${path}${colon}${verb}`, route] as const),
      ),
    ]),
  ]);
}

function pathOf({ params }: Exchange): ModelPath {
  return { name: params["name"] ?? "", version: params["version"], label: params["label"] };
}

/** 503 while the model cannot be called, as KServe's clients and probes want it. */
function statusReply({ models }: Plane, exchange: Exchange): Reply {
  const { isReady, document } = modelStatus(models, pathOf(exchange));
  return { ...jsonReply(document), status: isReady ? 200 : 503 };
}

function refuseVerb({ models }: Plane, exchange: Exchange, why: string): never {
  const { name } = modelOf(models, pathOf(exchange));
  throw new InferenceError("UNSUPPORTED", `call the model "${name}" by :${why}`, {
    model: name,
    hint: "ask it by :predict",
  });
}

const reader = new JsonReader();

function readCall(
  { codecs }: Plane,
  { body }: Exchange,
  specs: readonly TensorSpec[] | undefined,
): PredictCall | Promise<PredictCall> {
  return isLargeText(body.byteLength)
    ? codecs.run("v1-read", { body, specs })
    : readPredict(reader, body, specs);
}

async function written(
  { codecs }: Plane,
  form: PredictCall["form"],
  outputs: readonly NamedTensor[],
): Promise<Buffer> {
  const bytes = outputs.reduce((sum, output) => sum + leastTextBytes(output), 0);
  return isLargeText(bytes)
    ? bufferOf(await codecs.run("v1-write", { form, outputs }))
    : writePredictions(form, outputs);
}

/** A prediction; one that was asked for by an event is answered by one. */
async function predictOrEvent(
  plane: Plane,
  model: ServedModel,
  exchange: Exchange,
): Promise<Reply> {
  const event = readCloudEvent(exchange);
  if (event === undefined) return predict(plane, model, exchange);
  exchange.body = event.data;
  return replyAsEvent(event, model.name, await predict(plane, model, exchange));
}

async function predict(plane: Plane, model: ServedModel, exchange: Exchange): Promise<Reply> {
  const { predictor } = model;
  const { signature, wantsHeaders, takesJson = false } = predictor.describe();
  checkTakes(model, "tensors", "V1");
  const { requestId, span } = exchange;
  const about: Omit<InferRequest, "inputs"> = {
    ...(requestId !== undefined && { id: requestId }),
    ...(span !== undefined && { trace: span }),
    ...(wantsHeaders && { headers: headersOf(exchange) }),
    caller: exchange,
  };
  if (takesJson) return predictAsText(model, exchange, about);
  const { form, inputs, isUntyped } = await readCall(plane, exchange, signature?.inputs);
  const { outputs } = await predictor.infer({ ...about, inputs, ...(isUntyped && { isUntyped }) });
  if (isRaw(outputs)) refuseBodies(model.name);
  return { status: 200, contentType: JSON_TYPE, body: await written(plane, form, outputs) };
}

/** For user code that takes the body of V1 itself and gives the answer's. */
async function predictAsText(
  { name, predictor }: ServedModel,
  { body }: Exchange,
  about: Omit<InferRequest, "inputs">,
): Promise<Reply> {
  const length = Buffer.alloc(ITEM_LENGTH_BYTES);
  length.writeUInt32LE(body.byteLength);
  const data = Buffer.concat([length, body]);
  const inputs: readonly NamedTensor[] = [{ name: "body", datatype: "BYTES", shape: [1], data }];
  const { outputs } = await predictor.infer({ ...about, inputs, isJson: true });
  if (isRaw(outputs)) refuseBodies(name);
  const text = bufferOf(outputs[0]?.data ?? length).subarray(ITEM_LENGTH_BYTES);
  return { status: 200, contentType: JSON_TYPE, body: text };
}

/** @throws InferenceError `UNSUPPORTED`, always */
export function refuseBodies(model: string): never {
  throw new InferenceError(
    "UNSUPPORTED",
    `call the model "${model}": it takes and gives bodies, not tensors`,
    { model },
  );
}
