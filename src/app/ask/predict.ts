import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { ToolError } from "../../ground/errors/index.ts";
import {
  buildCall,
  readTensors,
  type OutputTensor,
  type ProtocolName,
} from "../../serving/calls/index.ts";
import { drawAnswer } from "./draw-answer.ts";
import { findModel, type FoundModel } from "./find-model.ts";
import { openTarget, type Asker, type TargetRequest } from "./open-target.ts";
import { formOf, readInputs, type InputBatch, type InputForm } from "./read-inputs.ts";
import { callServer, apiKeyIn, createServerClient, type ServerClient } from "./server-client.ts";

export interface PredictRequest extends TargetRequest {
  /** A file of inputs; `-` for standard input. */
  readonly input: string;
  /** Default: by the file's name; JSON for standard input. */
  readonly form?: InputForm | undefined;
  /** Default: the server's first. */
  readonly model?: string | undefined;
  /** Default: found out by asking. */
  readonly protocol?: ProtocolName | undefined;
  /** Rows of a table or of lines that are sent together. Default 64. */
  readonly batchRows?: number | undefined;
  /** Longest wait for an answer, in ms. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** A file that becomes the picture with the objects found in it, as PNG. Only for a picture. */
  readonly draw?: string | undefined;
}

/** The answer to one request. */
export interface Prediction {
  readonly model: string;
  readonly protocol: ProtocolName;
  /** Number of its first row, from 0. */
  readonly firstRow: number;
  /** Rows that were asked for. */
  readonly rows: number;
  /** Absent for an answer that is something else than tensors. */
  readonly outputs?: readonly OutputTensor[];
  /** As it came. */
  readonly text: string;
}

const TOLD_EVERY_MS = 1000;

/**
 * Asks a model for predictions, one request after the other, and gives each answer as it comes. Tells how far it is on the way.
 * @param stdin - read where the input is `-`
 * @throws ToolError `USAGE` for inputs that cannot be read, `MODEL_NOT_FOUND`, `UNSUPPORTED` where there is nothing to draw; InferenceError with the server's words
 */
export async function* predict(
  request: PredictRequest,
  { session, stdin }: { readonly session: Asker; readonly stdin: Readable },
): AsyncGenerator<Prediction> {
  const path = request.input === "-" ? undefined : resolve(session.cwd, request.input);
  const isPicture = formOf(path, request.form) === "image";
  if (request.draw !== undefined && !isPicture) refuseDrawing(request.input);
  await using target = await openTarget(request, session);
  using client = createServerClient({
    apiKey: apiKeyIn(session.environment),
    url: target.url,
    signal: session.signal,
    timeoutMs: request.timeoutMs,
  });
  const found = await findModel(client, request);
  const batches = readInputs({ ...request, ...found, path, stdin });
  let firstRow = 0;
  let toldAt = performance.now();
  for await (const batch of batches) {
    const text = isPicture
      ? await sendPicture(client, found, batch)
      : await callServer(client, buildCall(found.protocol, found.model, batch.input));
    if (request.draw !== undefined && batch.input.kind === "file")
      await drawAnswer({
        ...{ picture: batch.input.file, text },
        path: resolve(session.cwd, request.draw),
      });
    const outputs = isPicture ? undefined : readTensors(found.protocol, text);
    const { protocol, model } = found;
    yield {
      ...{ model: model.name, protocol, firstRow, rows: batch.rows, text },
      ...(outputs !== undefined && { outputs }),
    };
    firstRow += batch.rows;
    if (performance.now() - toldAt < TOLD_EVERY_MS) continue;
    toldAt = performance.now();
    session.emit({ kind: "step", text: `${firstRow} rows predicted` });
  }
}

function refuseDrawing(input: string): never {
  throw new ToolError("USAGE", `draw what is found in "${input}": it is no picture`, {
    hint: "name a .jpg, .png, .webp or .gif file, or add --form image",
  });
}

/** The server makes the tensor of a picture. */
async function sendPicture(
  client: ServerClient,
  { model, takesPictures }: FoundModel,
  { input }: InputBatch,
): Promise<string> {
  if (input.kind !== "file") throw new Error("a picture was read as something else");
  if (!takesPictures && !model.takesRawBody)
    throw new ToolError(
      "UNSUPPORTED",
      `send a picture to "${model.name}": no input of it takes one`,
      {
        hint: "send the numbers as JSON or CSV",
      },
    );
  const path = takesPictures ? `/predict/${encodeURIComponent(model.name)}` : "/service";
  return callServer(client, {
    ...{ protocol: "service", path, body: input.file },
    contentType: "application/octet-stream",
  });
}
