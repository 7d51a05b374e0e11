import { InferenceError } from "../../../ground/errors/index.ts";
import { imageFormatOf } from "../../../models/inputs/index.ts";
import { isRaw, type PredictorFacts, type ServedModel } from "../../plane/index.ts";
import type { Exchange, Reply } from "../../transport/index.ts";
import type { Plane } from "../protocol.ts";
import { headersOf } from "../v2/reply.ts";
import { requestInvalid } from "../request-errors.ts";
import { JSON_TYPE } from "./model-server-errors.ts";
import { prepareInputs } from "./prepare-inputs.ts";
import { NO_SETTINGS, type Question } from "./question.ts";
import { readForm } from "./read-form.ts";
import { readJsonBody } from "./read-json.ts";
import { tensorOfText, tensorsOfCsv } from "./read-table.ts";
import { readSettings } from "./settings.ts";
import { writeAnswer } from "./write-answer.ts";

const TEXT = "text/plain; charset=utf-8";

/** Asks a model what a request asks, whatever form its body has. */
export async function predict(
  plane: Plane,
  model: ServedModel,
  exchange: Exchange,
): Promise<Reply> {
  const { predictor } = model;
  const facts = predictor.describe();
  if (!facts.takesTensors) return passOn(model, exchange);
  const question = await readQuestion(exchange, facts);
  const settings = readSettings(new Map([...question.settings, ...querySettings(exchange)]));
  const { tensors, pictures } = await prepareInputs(question, {
    model: model.name,
    facts,
    preprocess: { ...facts.preprocess, ...settings.preprocess },
    images: plane.images,
    caller: exchange,
  });
  const { outputs } = await predictor.infer({ inputs: tensors, ...askerOf(exchange, facts) });
  if (isRaw(outputs)) throw givesBodies(model.name);
  const body = writeAnswer({
    ...{ model, facts, outputs, pictures },
    postprocess: { ...facts.postprocess, ...settings.postprocess },
    wantsClasses: (settings.postprocess.top ?? facts.postprocess?.top) !== undefined,
    names: settings.outputs,
  });
  return { status: 200, contentType: JSON_TYPE, body };
}

/** What the query says beside the name of the model. */
function querySettings({ query }: Exchange): readonly (readonly [name: string, text: string])[] {
  return [...new URLSearchParams(query)].filter(([name]) => name !== "model" && name !== "version");
}

function askerOf(exchange: Exchange, { wantsHeaders }: PredictorFacts) {
  const { requestId, span } = exchange;
  return {
    ...(requestId !== undefined && { id: requestId }),
    ...(span !== undefined && { trace: span }),
    ...(wantsHeaders && { headers: headersOf(exchange) }),
    caller: exchange,
  };
}

/** A class that takes bodies gets this one, and its answer goes back as it is. */
async function passOn({ name, predictor }: ServedModel, exchange: Exchange): Promise<Reply> {
  const facts = predictor.describe();
  const { outputs } = await predictor.infer({
    inputs: { contentType: exchange.header("content-type") ?? "", bytes: exchange.body },
    ...askerOf(exchange, facts),
  });
  if (!isRaw(outputs)) throw givesBodies(name);
  const { status, contentType, bytes } = outputs;
  return {
    status,
    contentType: contentType === "" ? TEXT : contentType,
    body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  };
}

function givesBodies(model: string): InferenceError {
  return new InferenceError(
    "MODEL_FAILED",
    `call the model "${model}": it does not answer as it says that it does`,
    { model },
  );
}

/** What the body is follows from its first bytes, and from its type where those leave it open. */
async function readQuestion(exchange: Exchange, facts: PredictorFacts): Promise<Question> {
  const { body } = exchange;
  const contentType = exchange.header("content-type") ?? "";
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "multipart/form-data") return readForm(body, contentType, facts);
  if (imageFormatOf(body) !== undefined)
    return { tensors: [], images: [{ bytes: body }], settings: NO_SETTINGS };
  if (type.startsWith("image/"))
    throw requestInvalid(`it is called ${type}, and is no JPEG, PNG, WebP or GIF`);
  if (body.byteLength === 0)
    throw requestInvalid("it is empty", "send JSON, an image, CSV or a multipart form");
  if (type === "text/csv") return onlyTensors(tensorsOfCsv(body.toString("utf8"), facts));
  if (type === "text/plain") return onlyTensors([tensorOfText(body.toString("utf8"), facts)]);
  return readJsonBody(body, facts);
}

function onlyTensors(tensors: Question["tensors"]): Question {
  return { tensors, images: [], settings: NO_SETTINGS };
}
