import type { ServedModel } from "../../plane/index.ts";
import type { Exchange, Reply, Route } from "../../transport/index.ts";
import { isLargeText } from "../codecs/codecs.ts";
import { bufferOf, isObject, type JsonObject, leastTextBytes, JsonReader } from "../json/index.ts";
import { checkTakes } from "../called-model.ts";
import type { Plane } from "../protocol.ts";
import {
  controlModel,
  EXTENSIONS,
  loadedModel,
  modelForCall,
  modelConfig,
  modelMetadata,
  modelStatistics,
  refuseForeignPages,
  repositoryIndex,
  SERVER_NAME,
  unreadyError,
} from "./documents.ts";
import { generate, generateStream, settleStream } from "./generate.ts";
import type { InferCall } from "./infer-call.ts";
import { requestInvalid } from "../request-errors.ts";
import { readObject } from "./read-object.ts";
import { readInferJson } from "./read-infer-json.ts";
import { readRawTensor } from "./read-raw-tensor.ts";
import { answerOf, inferRequestOf, PROTOCOL } from "./run-infer.ts";
import { settingsRoutes } from "./settings-routes.ts";
import { headersOf, jsonReply, settle } from "./reply.ts";
import { JSON_TYPE } from "./v2-errors.ts";
import {
  isBinaryOnly,
  refuseInJson,
  writeInferJson,
  type InferAnswer,
  type WrittenAnswer,
} from "./write-infer-json.ts";

const BINARY_TYPE = "application/octet-stream";
const HEADER_LENGTH = "inference-header-content-length";
const MAX_ID_CHARACTERS = 128;

/** Every path of Open Inference V2, and of the extensions that are served. */
export function v2Routes(plane: Plane): ReadonlyMap<string, Route> {
  const { models, version } = plane;
  const get = (name: string | undefined, answer: (exchange: Exchange) => unknown): Route => ({
    ...(name !== undefined && { name }),
    methods: ["GET"],
    handle: (exchange) => settle(plane, exchange, async () => jsonReply(await answer(exchange))),
  });
  const post = (name: string, answer: (exchange: Exchange) => Promise<Reply>): Route => ({
    name,
    methods: ["POST"],
    handle: (exchange) => settle(plane, exchange, async () => answer(exchange)),
  });
  const managing = (answer: (exchange: Exchange) => Promise<Reply>): Route => ({
    ...post("v2-repository", answer),
    access: "manager",
  });
  const model = ({ params }: Exchange): ServedModel =>
    loadedModel(models, params["name"] ?? "", params["version"]);
  const called = ({ params }: Exchange): Promise<ServedModel> =>
    modelForCall(models, params["name"] ?? "", params["version"]);
  const ofModel: readonly (readonly [string, Route])[] = [
    ["", get("v2-metadata", (exchange) => modelMetadata(models, model(exchange)))],
    ["/config", get("v2-metadata", (exchange) => modelConfig(models, model(exchange)))],
    ["/ready", { ...get(undefined, (exchange) => readiness(model(exchange))), access: "open" }],
    ["/stats", get(undefined, (exchange) => ({ model_stats: [modelStatistics(model(exchange))] }))],
    [
      "/infer",
      post("v2-infer", async (exchange) => infer(plane, await called(exchange), exchange)),
    ],
    ...generateRoutes(plane, called),
  ];
  const server = get("v2-metadata", () => ({ name: SERVER_NAME, version, extensions: EXTENSIONS }));
  return new Map<string, Route>([
    ["/v2", server],
    ["/v2/", server],
    ["/v2/health/live", { ...get(undefined, () => ({ live: true })), access: "open" }],
    ["/v2/health/ready", readyRoute(plane)],
    ...ofModel.flatMap(([path, route]) => [
      [`/v2/models/{name}${path}`, route] as const,
      [`/v2/models/{name}/versions/{version}${path}`, route] as const,
    ]),
    [
      "/v2/models/stats",
      get(undefined, () => ({ model_stats: models.models.map(modelStatistics) })),
    ],
    ...settingsRoutes(plane),
    ["/v2/repository/index", post("v2-repository", (exchange) => index(plane, exchange))],
    ["/v2/repository/models/{name}/load", managing((one) => control(plane, one, "load"))],
    ["/v2/repository/models/{name}/unload", managing((one) => control(plane, one, "unload"))],
  ]);
}

type Called = (exchange: Exchange) => Promise<ServedModel>;

function generateRoutes(plane: Plane, called: Called): readonly (readonly [string, Route])[] {
  const common = { name: "v2-generate", methods: ["POST"] } as const;
  const one: Route = {
    ...common,
    handle: (exchange) =>
      settle(plane, exchange, async () => generate(await called(exchange), exchange)),
  };
  const stream: Route = {
    ...common,
    handle: (exchange) =>
      settleStream(plane, exchange, async () =>
        generateStream(plane, await called(exchange), exchange),
      ),
  };
  return [
    ["/generate", one],
    ["/generate_stream", stream],
  ];
}

function readyRoute({ models }: Plane): Route {
  return {
    access: "open",
    methods: ["GET"],
    handle: (exchange) => {
      const ready = models.isReady;
      exchange.reply({ ...jsonReply({ ready }), status: ready ? 200 : 503 });
    },
  };
}

function readiness(model: ServedModel): unknown {
  if (!model.isReady) throw unreadyError(model);
  return { name: model.name, ready: true };
}

async function infer(plane: Plane, model: ServedModel, exchange: Exchange): Promise<Reply> {
  const { predictor } = model;
  const facts = predictor.describe();
  checkTakes(model, "tensors", PROTOCOL);
  const call = await readCall(plane, exchange, facts.signature);
  if (call.id !== undefined) exchange.requestId = call.id.slice(0, MAX_ID_CHARACTERS);
  for (const { name, datatype } of facts.signature?.outputs ?? [])
    if (isBinaryOnly(datatype) && isWantedAsJson(call, name)) refuseInJson(name, datatype);
  const asker = { caller: exchange, span: exchange.span, headers: () => headersOf(exchange) };
  const response = await predictor.infer(inferRequestOf(call, facts, asker));
  const { body, headerBytes } = await written(plane, answerOf(model, facts, call, response));
  return headerBytes === undefined
    ? { status: 200, contentType: JSON_TYPE, body }
    : {
        status: 200,
        contentType: BINARY_TYPE,
        body,
        headers: ["Inference-Header-Content-Length", String(headerBytes)],
      };
}

const reader = new JsonReader();

function readCall(
  { codecs }: Plane,
  exchange: Exchange,
  signature: Parameters<typeof readRawTensor>[1],
): InferCall | Promise<InferCall> {
  const { body } = exchange;
  const said = headerBytesOf(exchange);
  if (said === 0) return readRawTensor(body, signature);
  const headerBytes = said ?? body.byteLength;
  return isLargeText(headerBytes)
    ? codecs.run("v2-read", { body, headerBytes })
    : readInferJson(reader, body, headerBytes);
}

/** Length of the JSON before the raw bytes, where the client says it. */
function headerBytesOf(exchange: Exchange): number | undefined {
  const { body } = exchange;
  const text = exchange.header(HEADER_LENGTH);
  if (text === undefined) return undefined;
  const length = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(length <= body.byteLength))
    throw requestInvalid(
      `Inference-Header-Content-Length is "${text.slice(0, 40)}", and 0 to ${body.byteLength} is possible`,
    );
  return length;
}

/** An answer in JSON, of which raw bytes are no part that takes time. */
async function written({ codecs }: Plane, answer: InferAnswer): Promise<WrittenAnswer> {
  const bytes = answer.outputs
    .filter(({ isBinary }) => !isBinary)
    .reduce((sum, { tensor }) => sum + leastTextBytes(tensor), 0);
  if (!isLargeText(bytes)) return writeInferJson(answer);
  const { body, ...rest } = await codecs.run("v2-write", answer);
  return { body: bufferOf(body), ...rest };
}

/** Checked before the model runs, since its work would be lost. */
function isWantedAsJson({ outputs, isBinaryOut }: InferCall, name: string): boolean {
  if (outputs === undefined) return !isBinaryOut;
  const output = outputs.find((one) => one.name === name);
  return output !== undefined && output.classes === 0 && !(output.isBinary ?? isBinaryOut);
}

async function index({ models }: Plane, exchange: Exchange): Promise<Reply> {
  const ready = readOptions(exchange.body).get("ready") ?? false;
  if (typeof ready !== "boolean") throw requestInvalid("ready is no boolean");
  return jsonReply(repositoryIndex(models, ready));
}

async function control(
  plane: Plane,
  exchange: Exchange,
  action: "load" | "unload",
): Promise<Reply> {
  const { params, body } = exchange;
  const name = params["name"] ?? "";
  refuseForeignPages(
    exchange.header("origin"),
    exchange.header("host"),
    `${action} the model "${name}"`,
  );
  const parameters = readOptions(body).get("parameters") ?? new Map();
  if (!isObject(parameters)) throw requestInvalid("parameters are no object");
  const [unknown] = [...parameters.keys()].filter((name) => name !== "unload_dependents");
  if (unknown !== undefined)
    throw requestInvalid(
      `the parameter "${unknown.slice(0, 100)}" is not served: no model or configuration is taken from clients`,
    );
  await controlModel(plane, name, action);
  return jsonReply({});
}

/** The members of a body that may be empty. */
function readOptions(body: Buffer): JsonObject {
  return body.byteLength === 0 ? new Map() : readObject(body);
}
