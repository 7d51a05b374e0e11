import { resolve } from "node:path";
import { redactUrl, ToolError } from "../../ground/errors/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import type { Datatype, TensorSpec } from "../../models/tensor/index.ts";
import { writePython, writeTypescript, type ClientModel } from "../../serving/clients/index.ts";
import { specsIn } from "./find-model.ts";
import { openTarget, type Asker, type TargetRequest } from "./open-target.ts";
import {
  apiKeyIn,
  createServerClient,
  member,
  readDocument,
  refuseModel,
  type ServerClient,
} from "./server-client.ts";

/** As many as numpy has. */
const MAX_AXES = 64;
/** Numbers without a form in V2's JSON. */
const HALVES: readonly Datatype[] = ["FP16", "BF16"];

export interface ClientRequest extends TargetRequest {
  /** What it is written in. */
  readonly language: "ts" | "python";
  /** The only model that the client has a method for. Default: all that the server lists. */
  readonly model?: string | undefined;
  /** Where to write it; one that is there is replaced. */
  readonly file?: string | undefined;
}

/** A client, and what it can call. */
export interface ClientResult {
  readonly text: string;
  /** Names of its models, in order. */
  readonly models: readonly string[];
}

/**
 * Writes a typed client of a server's models, which asks over Open Inference V2. Tells of models that are left out.
 * @throws ToolError `MODEL_NOT_FOUND`; `UNSUPPORTED` where the server does not speak V2, or no model states tensors that JSON carries
 */
export async function makeClient(request: ClientRequest, session: Asker): Promise<ClientResult> {
  await using target = await openTarget(request, session);
  using client = createServerClient({
    ...{ url: target.url, signal: session.signal },
    apiKey: apiKeyIn(session.environment),
  });
  const names = request.model === undefined ? await listModels(client) : [request.model];
  const models: ClientModel[] = [];
  const notes: string[] = [];
  for (const name of names) {
    const model = await readModel(client, name);
    if (model.whyNot === undefined) models.push(model);
    else notes.push(`Left out: ${JSON.stringify(name)}, ${model.whyNot}.`);
  }
  if (models.length === 0)
    throw new ToolError(
      "UNSUPPORTED",
      `make a client of "${shownTarget(request)}": no model states tensors that JSON carries`,
      { hint: notes.length === 0 ? "name a model by --model" : notes.slice(0, 3).join(" ") },
    );
  for (const text of notes) session.emit({ kind: "warning", text });
  const madeBy = `slipway client ${request.language} ${shownTarget(request)}`;
  const write = request.language === "ts" ? writeTypescript : writePython;
  const text = write({ madeBy, models, notes });
  if (request.file !== undefined) await writeFileAtomic(resolve(session.cwd, request.file), text);
  return { text, models: models.map(({ name }) => name) };
}

/** Without a name and password, which a file may not keep. */
function shownTarget({ target }: TargetRequest): string {
  return URL.canParse(target) ? redactUrl(target) : target;
}

/** Names in the index of a server, each once, sorted. */
async function listModels(client: ServerClient): Promise<readonly string[]> {
  const { status, text } = await client.post(
    "/v2/repository/index",
    "application/json",
    Buffer.from("{}"),
  );
  const index = status === 200 ? parseIndex(text) : undefined;
  if (index === undefined)
    throw new ToolError("UNSUPPORTED", "ask the server: it has no list of its models over V2", {
      hint: "name one by --model",
    });
  const names = index.map((one) => member(one, "name")).filter((one) => typeof one === "string");
  return [...new Set(names)].toSorted();
}

function parseIndex(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // another kind of server
  }
}

interface ReadModel extends ClientModel {
  /** Absent where a client can be written for it. */
  readonly whyNot?: string | undefined;
}

async function readModel(client: ServerClient, name: string): Promise<ReadModel> {
  const metadata = await readDocument(client, `/v2/models/${encodeURIComponent(name)}`);
  if (metadata === undefined) refuseModel(name, []);
  const [inputs, outputs] = [member(metadata, "inputs"), member(metadata, "outputs")];
  const model = { name, inputs: specsIn(inputs), outputs: specsIn(outputs) };
  const specs = [...model.inputs, ...model.outputs];
  const isWhole = specs.length === lengthOf(inputs) + lengthOf(outputs) && specs.every(hasShape);
  return { ...model, whyNot: isWhole ? whyLeftOut(model) : "whose metadata is not that of V2" };
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function hasShape({ shape }: TensorSpec): boolean {
  return shape.length <= MAX_AXES && shape.every((size) => Number.isSafeInteger(size));
}

function whyLeftOut({ inputs, outputs }: ClientModel): string | undefined {
  if (inputs.length === 0 || outputs.length === 0)
    return `which states no ${inputs.length === 0 ? "inputs" : "outputs"}`;
  const half = [...inputs, ...outputs].find(({ datatype }) => HALVES.includes(datatype));
  return half === undefined ? undefined : `whose ${half.datatype} cannot be sent in JSON`;
}
