import { ToolError } from "../../ground/errors/index.ts";
import { isDatatype, type TensorSpec } from "../../models/tensor/index.ts";
import { protocolsOf, type CallModel, type ProtocolName } from "../../serving/calls/index.ts";
import { member, readDocument, refuseModel, type ServerClient } from "./server-client.ts";

/** A model behind a URL, and the protocol by which it is asked. */
export interface FoundModel {
  readonly model: CallModel;
  readonly protocol: ProtocolName;
  /** True where `/predict/NAME` takes pictures. */
  readonly takesPictures: boolean;
}

/**
 * Finds out what a server speaks by asking it: Open Inference V2, else V1, else Seldon, else `/service`.
 * @param wanted - name of the model, and the protocol, where they are to be others than the first
 * @throws ToolError `MODEL_NOT_FOUND`, `UNSUPPORTED` where nothing of these is spoken
 */
export async function findModel(
  client: ServerClient,
  wanted: { readonly model?: string | undefined; readonly protocol?: ProtocolName | undefined },
): Promise<FoundModel> {
  const found = (await findOurs(client, wanted.model)) ?? (await findOthers(client, wanted.model));
  const offered = protocolsOf(found.model, found.isFirst);
  const { protocol = found.protocol ?? offered[0] } = wanted;
  if (protocol === undefined)
    throw new ToolError(
      "UNSUPPORTED",
      `ask the model "${found.model.name}": it takes neither tensors nor bodies`,
    );
  const info = await readDocument(client, `/info/${encodeURIComponent(found.model.name)}`);
  return { model: found.model, protocol, takesPictures: hasPicture(info) };
}

function hasPicture(info: unknown): boolean {
  const inputs = member(info, "inputs");
  return Array.isArray(inputs) && inputs.some((input) => member(input, "image") !== undefined);
}

interface Known {
  readonly model: CallModel;
  readonly isFirst: boolean;
  /** Where the server speaks no other. */
  readonly protocol?: ProtocolName;
}

/** A server of ours says everything in one document. */
async function findOurs(
  client: ServerClient,
  name: string | undefined,
): Promise<Known | undefined> {
  const document = await readDocument(client, "/ui/server.json");
  const models = member(document, "models");
  if (!Array.isArray(models) || models.length === 0) return undefined;
  const known = models as readonly CallModel[]; // our own server's
  const model = name === undefined ? known[0] : known.findLast((one) => one.name === name);
  if (model === undefined)
    refuseModel(
      name ?? "",
      known.map((one) => one.name),
    );
  return { model, isFirst: model.name === known[0]?.name };
}

async function findOthers(client: ServerClient, name: string | undefined): Promise<Known> {
  const found =
    (await findV2(client, name)) ?? (await findV1(client, name)) ?? (await findSeldon(client));
  if (found !== undefined) return found;
  const service = await client.get("/service");
  if (service.status !== 404) return { ...plain("model", "service"), isFirst: true };
  throw new ToolError(
    "UNSUPPORTED",
    "ask the server: it speaks neither V2, V1 nor Seldon's protocol",
    {
      hint: "check the URL, or name the protocol by --protocol",
    },
  );
}

function plain(name: string, protocol: ProtocolName): Pick<Known, "model" | "protocol"> {
  const isRaw = protocol === "service";
  const model = {
    name,
    version: "1",
    takesTensors: !isRaw,
    takesRawBody: isRaw,
    inputs: [],
    outputs: [],
  };
  return { protocol, model };
}

async function findV2(client: ServerClient, name: string | undefined): Promise<Known | undefined> {
  const server = await readDocument(client, "/v2");
  if (member(server, "name") === undefined) return undefined;
  const chosen = name ?? (await firstInIndex(client));
  if (chosen === undefined)
    throw new ToolError("USAGE", "ask the server: it has no list of its models", {
      hint: "name one by --model",
    });
  const metadata = await readDocument(client, `/v2/models/${encodeURIComponent(chosen)}`);
  if (metadata === undefined) refuseModel(chosen, []);
  const versions = member(metadata, "versions");
  const version: unknown = Array.isArray(versions) ? versions.at(-1) : undefined;
  const takes = await takenByOurs(client, server);
  return {
    model: {
      ...plain(chosen, "v2").model,
      ...takes,
      version: typeof version === "string" ? version : "1",
      inputs: specsIn(member(metadata, "inputs")),
      outputs: specsIn(member(metadata, "outputs")),
    },
    isFirst: takes.takesRawBody,
    ...(takes.takesTensors && { protocol: "v2" }),
  };
}

/** A server of ours answers metadata for models too that take raw bodies only. */
async function takenByOurs(
  client: ServerClient,
  server: unknown,
): Promise<Pick<CallModel, "takesTensors" | "takesRawBody">> {
  const isOurs = member(server, "name") === "slipway";
  const paths = isOurs ? member(await readDocument(client, "/openapi.json"), "paths") : undefined;
  if (paths === undefined) return { takesTensors: true, takesRawBody: false };
  return {
    takesTensors: member(paths, "/v2/models/{name}/infer") !== undefined,
    takesRawBody: member(paths, "/service") !== undefined,
  };
}

async function firstInIndex(client: ServerClient): Promise<string | undefined> {
  const { status, text } = await client.post(
    "/v2/repository/index",
    "application/json",
    Buffer.from("{}"),
  );
  if (status !== 200) return undefined;
  const index: unknown = JSON.parse(text);
  const name: unknown = Array.isArray(index) ? member(index[0], "name") : undefined;
  return typeof name === "string" ? name : undefined;
}

async function findV1(client: ServerClient, name: string | undefined): Promise<Known | undefined> {
  const models = member(await readDocument(client, "/v1/models"), "models");
  const first: unknown = Array.isArray(models) ? models[0] : undefined;
  const chosen = name ?? (typeof first === "string" ? first : undefined);
  return chosen === undefined ? undefined : { ...plain(chosen, "v1"), isFirst: false };
}

async function findSeldon(client: ServerClient): Promise<Known | undefined> {
  const { status } = await client.get("/health/ping");
  return status === 200 ? { ...plain("model", "seldon"), isFirst: true } : undefined;
}

/** Tensors in the metadata of V2; what is none, or of no datatype of V2, is left out. */
export function specsIn(value: unknown): readonly TensorSpec[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown): readonly TensorSpec[] => {
    const [name, datatype, shape] = ["name", "datatype", "shape"].map((key) => member(one, key));
    if (typeof datatype !== "string" || !isDatatype(datatype) || !Array.isArray(shape)) return [];
    return [{ name: String(name), datatype, shape: shape.map(Number) }];
  });
}
