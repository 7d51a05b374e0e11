import { InferenceError } from "../../../ground/errors/index.ts";
import {
  answersOf,
  isRaw,
  tensorOfList,
  type InferRequest,
  type InferResponse,
  type NamedTensor,
  type Parameters,
  type ParameterValue,
  type ServedModel,
} from "../../plane/index.ts";
import type { Exchange, Reply } from "../../transport/index.ts";
import {
  isList,
  isObject,
  JsonNumber,
  stringText,
  type JsonNode,
  tensorText,
} from "../json/index.ts";
import { checkTakes } from "../called-model.ts";
import type { Plane } from "../protocol.ts";
import { failureOf } from "../seldon-service/failure.ts";
import { requestInvalid, shortName } from "../request-errors.ts";
import { readObject } from "./read-object.ts";
import { headersOf } from "./reply.ts";
import { PROTOCOL } from "./run-infer.ts";
import { JSON_TYPE, replyError } from "./v2-errors.ts";

const EVENTS = "text/event-stream; charset=utf-8";

/** One call of `generate` or `generate_stream`, as the model gets it. */
interface GenerateCall {
  readonly request: InferRequest;
  readonly id: string | undefined;
}

/**
 * `POST …/generate`: the only answer of a model, its inputs and outputs as members of one JSON object.
 * @throws InferenceError `REQUEST_INVALID`, also for a model that gives several answers; what the model throws
 * @see Triton's extension_generate.md
 */
export async function generate(model: ServedModel, exchange: Exchange): Promise<Reply> {
  const { request, id } = readGenerate(model, exchange);
  let answer: InferResponse | undefined;
  for await (const response of answersOf(model.predictor, request)) {
    if (answer !== undefined)
      throw requestInvalid(
        `the model "${model.name}" gives several answers`,
        "ask for them by generate_stream",
      );
    answer = response;
  }
  if (answer === undefined)
    throw new InferenceError("MODEL_FAILED", `call the model "${model.name}": it gave no answer`, {
      model: model.name,
    });
  return { status: 200, contentType: JSON_TYPE, body: answerText(model, id, answer) };
}

/**
 * `POST …/generate_stream`: every answer as an event of its own as soon as the model gives it. What fails before the first one is an answer
 * with its status; what fails later is an event with an `error`. The model is told to stop when the client goes.
 */
export async function generateStream(
  plane: Plane,
  model: ServedModel,
  exchange: Exchange,
): Promise<void> {
  const { request, id } = readGenerate(model, exchange);
  const answers = answersOf(model.predictor, request)[Symbol.asyncIterator]();
  const gone = new Promise<IteratorResult<InferResponse>>((resolve) =>
    exchange.whenGone(() => resolve({ done: true, value: undefined })),
  );
  const next = async (): Promise<IteratorResult<InferResponse>> =>
    Promise.race([answers.next(), gone]);
  let step = await next(); // an error here is an answer of its own
  const stream = exchange.stream({
    status: 200,
    contentType: EVENTS,
    headers: ["Cache-Control", "no-cache"],
  });
  try {
    for (; step.done !== true && !stream.isGone; step = await next())
      await stream.write(eventOf(answerText(model, id, step.value)));
  } catch (error) {
    const { info, isBug, status } = failureOf(error, model.retryAfterSeconds);
    if (isBug || status >= 500) plane.onFailure(error, { isBug, requestId: exchange.requestId });
    await stream.write(eventOf(Buffer.from(JSON.stringify({ error: info }))));
  } finally {
    stream.end();
    void answers.return?.().catch(() => undefined); // it has ended, or is told to; nobody is left to hear of it
  }
}

/** Answers with the stream, or with the error that came before it. */
export function settleStream(plane: Plane, exchange: Exchange, start: () => Promise<void>): void {
  start().catch((error: unknown) => replyError(plane, exchange, error));
}

function eventOf(json: Buffer): Buffer {
  return Buffer.concat([Buffer.from("data: "), json, Buffer.from("\n\n")]);
}

function readGenerate(model: ServedModel, exchange: Exchange): GenerateCall {
  checkTakes(model, "tensors", PROTOCOL);
  const { signature, wantsHeaders } = model.predictor.describe();
  const members = readObject(exchange.body);
  const own = members.get("parameters") ?? new Map<string, JsonNode>();
  if (!isObject(own)) throw requestInvalid("parameters are no object");
  const id = members.get("id");
  if (id !== undefined && typeof id !== "string") throw requestInvalid("id is no text");
  const given = new Map([...own, ...members].filter(([name]) => name !== "parameters"));
  const specs = signature?.inputs;
  const isInput = (name: string): boolean =>
    specs === undefined
      ? name !== "id" && members.has(name)
      : specs.some((spec) => spec.name === name);
  const inputs = [...given]
    .filter(([name]) => isInput(name))
    .map(([name, value]) =>
      parameterTensor(name, value, specs?.find((spec) => spec.name === name)?.shape),
    );
  const unknown = [...members.keys()].find(
    (name) => name !== "id" && name !== "parameters" && !isInput(name),
  );
  if (unknown !== undefined)
    throw requestInvalid(
      `the model "${model.name}" has no input "${shortName(unknown)}"`,
      `it has ${(specs ?? []).map(({ name }) => `"${name}"`).join(", ")}`,
    );
  const parameters = parametersOf([...own].filter(([name]) => !isInput(name)));
  const { span } = exchange;
  return {
    id,
    request: {
      inputs,
      isUntyped: true,
      ...(parameters !== undefined && { parameters }),
      ...(id !== undefined && { id }),
      ...(span !== undefined && { trace: span }),
      ...(wantsHeaders && { headers: headersOf(exchange) }),
      caller: exchange,
    },
  };
}

/** A single value has as many axes as the model wants, of length 1 each. */
function parameterTensor(
  name: string,
  value: JsonNode,
  wanted: readonly number[] | undefined,
): NamedTensor {
  const tensor = tensorOfList(name, plainOf(name, value));
  if (isList(value) || wanted === undefined) return tensor;
  return { ...tensor, shape: wanted.map(() => 1) };
}

function plainOf(name: string, value: JsonNode): unknown {
  if (isList(value)) return value.map((item) => plainOf(name, item));
  if (value instanceof JsonNumber) return value.isFloat ? Number(value.text) : BigInt(value.text);
  if (typeof value === "string" || typeof value === "boolean") return value;
  throw requestInvalid(`the input "${shortName(name)}" is no value, and no list of values`);
}

function parametersOf(members: readonly (readonly [string, JsonNode])[]): Parameters | undefined {
  if (members.length === 0) return undefined;
  return Object.fromEntries(
    members.map(([name, value]): [string, ParameterValue] => {
      const plain = value instanceof JsonNumber ? Number(value.text) : value;
      if (typeof plain === "string" || typeof plain === "number" || typeof plain === "boolean")
        return [name, plain];
      throw requestInvalid(`the parameter "${shortName(name)}" is no text, number or boolean`);
    }),
  );
}

/** Outputs by name: the value of an output that has one, a list of the others. */
function answerText(
  { name, version }: ServedModel,
  id: string | undefined,
  { outputs }: InferResponse,
): Buffer {
  if (isRaw(outputs))
    throw new InferenceError(
      "UNSUPPORTED",
      `call the model "${name}": it gives bodies, not tensors`,
      {
        model: name,
      },
    );
  const members: (readonly [string, string | Buffer])[] = [
    ...(id === undefined ? [] : [["id", stringText(id, false)] as const]),
    ["model_name", stringText(name, false)],
    ["model_version", stringText(version, false)],
    ...outputs.map((tensor) => [tensor.name, valueText(tensor)] as const),
  ];
  return Buffer.concat(
    members
      .flatMap(([key, text], at) => [
        Buffer.from(`${at === 0 ? "{" : ","}${stringText(key, false)}:`),
        typeof text === "string" ? Buffer.from(text) : text,
      ])
      .concat(Buffer.from("}")),
  );
}

function valueText(tensor: NamedTensor): string | Buffer {
  const isOne = tensor.shape.every((axis) => axis === 1);
  return tensorText(isOne ? { ...tensor, shape: [] } : tensor);
}
