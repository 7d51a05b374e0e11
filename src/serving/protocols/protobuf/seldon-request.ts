import { isUtf8 } from "node:buffer";
import type { ComponentMessage, ComponentMethod, Payload } from "../../plane/index.ts";
import type { Tensor } from "../../../models/tensor/index.ts";
import { isList, isObject, JsonNumber, nodeText, type JsonObject } from "../json/index.ts";
import type { AnswerContext, DataKind, SeldonCall } from "../seldon/contracts.ts";
import { metricsThroughProto } from "../seldon/proto-json.ts";
import { reshapeTensor } from "../seldon/reshape.ts";
import { badData, badInput } from "../seldon/seldon-error.ts";
import { SeldonAnswerWriter } from "../seldon/write-answer.ts";
import { addBounded, MAX_AXES } from "../proto-bounds.ts";
import { DenseListReader } from "./dense-list.ts";
import {
  readData,
  readFeedback,
  readMessage,
  readMessageList,
  readMeta,
  TENSOR,
  type ProtoFeedback,
  type ProtoMessage,
} from "./seldon-message.ts";
import { readTfTensor } from "./tf-tensor-proto.ts";
import { readList, readValue } from "./value.ts";
import { WireError, WireReader } from "../../../ground/wire/index.ts";

const PLAIN_STYLE = { sortKeys: false, asciiOnly: false };
const NO_NAMES: readonly string[] = Object.freeze([]);
const NO_METAS: readonly JsonObject[] = Object.freeze([]);
const EMPTY: Payload = {
  kind: "tensor",
  tensor: { name: "", datatype: "FP64", shape: [0], data: new Uint8Array(0) },
};
/** Of the requests of these only the puid comes back. */
const PUID_ONLY: ReadonlySet<ComponentMethod> = new Set(["route", "send-feedback"]);

export interface ProtoParseOptions {
  readonly method: ComponentMethod;
  /** Present where a `*_raw` or `*_grpc` method waits for the whole message: as the bytes that came, or in its JSON form. */
  readonly whole?: "proto" | "json" | undefined;
  /** `SELDON_STRICT_COMPAT=1` */
  readonly isStrict: boolean;
  /** Key of the route in the response's `meta.routing`, for feedback. */
  readonly unitId: string;
}

interface Parsed {
  readonly message: ComponentMessage;
  readonly context: AnswerContext;
}

/**
 * Turns serialised requests into calls of the class contract, the protobuf side of `SeldonRequestParser`. Numbers are doubles; those of a
 * tensor stay a view of the request. Keeps scratch space, so one object serves a whole server.
 */
export class SeldonProtoParser {
  readonly #dense = new DenseListReader();
  readonly #json = new SeldonAnswerWriter({
    ...PLAIN_STYLE,
    isPretty: false,
    includeMetrics: true,
  });

  /**
   * Reads a SeldonMessage, a SeldonMessageList (`aggregate`) or a Feedback (`send-feedback`).
   * @throws WireError for bytes that are no such message; SeldonError for one that makes no sense
   */
  parse(bytes: Buffer, options: ProtoParseOptions): SeldonCall {
    if (options.method === "aggregate") return this.#list(bytes, options);
    if (options.method === "send-feedback") return this.#feedback(bytes, options);
    const draft = readMessage(bytes);
    if (options.whole !== undefined)
      return this.#whole(options, {
        bytes,
        json: () => this.#text(draft, options),
        context: contextOf(draft, options.method),
      });
    const { message, context } = this.#parsed(draft, options);
    return { request: { method: options.method, messages: [message], transport: "grpc" }, context };
  }

  #list(bytes: Buffer, options: ProtoParseOptions): SeldonCall {
    const drafts = readMessageList(bytes).map(readMessage);
    if (options.whole !== undefined) {
      const json = (): string =>
        `{"seldonMessages":[${drafts.map((draft) => this.#text(draft, options)).join(",")}]}`;
      return this.#whole(options, {
        bytes,
        json,
        context: listContext(drafts.map((draft) => contextOf(draft, options.method))),
      });
    }
    const members = drafts.map((draft) => this.#parsed(draft, options));
    if (members.length === 0) throw badInput("list index out of range");
    return {
      request: {
        method: options.method,
        messages: members.map(({ message }) => message),
        transport: "grpc",
      },
      context: listContext(members.map(({ context }) => context)),
    };
  }

  #feedback(bytes: Buffer, options: ProtoParseOptions): SeldonCall {
    const parts = readFeedback(bytes);
    const { request, response, truth, reward } = parts;
    const draft = readMessage(request ?? NO_BYTES);
    const routing = routeOf(response, options.unitId);
    const facts = { reward, ...(routing !== undefined && { routing }), transport: "grpc" as const };
    const context = contextOf(draft, options.method);
    const messages: readonly ComponentMessage[] =
      options.whole !== undefined
        ? this.#whole(options, { bytes, json: () => this.#feedbackText(parts, options), context })
            .request.messages
        : [this.#dataOnly(draft, options), this.#dataOnly(readMessage(truth ?? NO_BYTES), options)];
    return { request: { method: options.method, messages, ...facts }, context };
  }

  #whole(
    { method, whole }: ProtoParseOptions,
    {
      bytes,
      json,
      context,
    }: { readonly bytes: Buffer; readonly json: () => string; readonly context: AnswerContext },
  ): SeldonCall {
    const payload: Payload =
      whole === "json" ? { kind: "raw", json: json() } : { kind: "proto", bytes };
    return {
      request: { method, messages: [{ payload, names: NO_NAMES }], transport: "grpc" },
      context,
    };
  }

  /** A message in its JSON form. */
  #text(draft: ProtoMessage, options: ProtoParseOptions): string {
    const { payload } = draft;
    const meta =
      draft.meta === undefined ? "{}" : nodeText(shownMeta(readMeta(draft.meta)), PLAIN_STYLE);
    if (payload === undefined) return `{"meta":${meta}}`;
    if (payload.field !== "data")
      return this.#json.text({ payload: plainPayload(payload), names: NO_NAMES }, undefined, meta);
    const { message, kind } = this.#data(payload.bytes, options);
    return this.#json.text({ ...message, payload: aligned(message.payload) }, kind, meta);
  }

  #feedbackText(
    { request, response, truth, reward }: ProtoFeedback,
    options: ProtoParseOptions,
  ): string {
    const members = Object.entries({ request, response, truth }).flatMap(([name, bytes]) =>
      bytes === undefined ? [] : [`"${name}":${this.#text(readMessage(bytes), options)}`],
    );
    return `{${[...members, `"reward":${reward}`].join(",")}}`;
  }

  #dataOnly({ payload }: ProtoMessage, options: ProtoParseOptions): ComponentMessage {
    return payload?.field === "data"
      ? this.#data(payload.bytes, options).message
      : { payload: EMPTY, names: NO_NAMES };
  }

  #parsed(draft: ProtoMessage, options: ProtoParseOptions): Parsed {
    const { meta, payload } = draft;
    if (payload === undefined) throw badData("Unknown data in SeldonMessage");
    if (payload.field === "data" && meta === undefined) {
      const { message, kind } = this.#data(payload.bytes, options);
      return { message, context: { metas: NO_METAS, dataKind: kind } };
    }
    const context = contextOf(draft, options.method);
    const metaText =
      meta === undefined ? undefined : nodeText(shownMeta(readMeta(meta)), PLAIN_STYLE);
    const { message } =
      payload.field === "data"
        ? this.#data(payload.bytes, options)
        : { message: { payload: plainPayload(payload), names: NO_NAMES } };
    return { message: metaText === undefined ? message : { ...message, meta: metaText }, context };
  }

  #data(bytes: Buffer, options: ProtoParseOptions): { message: ComponentMessage; kind: DataKind } {
    const { names, array } = readData(bytes);
    if (array === undefined) return { message: { payload: EMPTY, names }, kind: "ndarray" };
    switch (array.kind) {
      case "tensor":
        return {
          message: {
            payload: { kind: "tensor", tensor: readTensor(array.bytes, options.isStrict) },
            names,
          },
          kind: "tensor",
        };
      case "ndarray":
        return { message: { payload: this.#array(array.bytes), names }, kind: "ndarray" };
      case "tftensor":
        if (options.isStrict) throw badInput("name 'tf' is not defined");
        return {
          message: { payload: { kind: "tensor", tensor: readTfTensor(array.bytes) }, names },
          kind: "tftensor",
        };
      default:
        return array.kind satisfies never;
    }
  }

  #array(bytes: Buffer): Payload {
    const tensor = this.#dense.read(new WireReader(bytes));
    if (tensor !== undefined) return { kind: "tensor", tensor };
    return { kind: "array", json: nodeText(readList(new WireReader(bytes)), PLAIN_STYLE) };
  }
}

const NO_BYTES = Buffer.alloc(0);

/** Numbers as a view of a request stand anywhere; where they are read one by one they must stand on a multiple of their size. */
function aligned(payload: Payload): Payload {
  return payload.kind === "tensor"
    ? { ...payload, tensor: { ...payload.tensor, data: new Uint8Array(payload.tensor.data) } }
    : payload;
}

/** What an answer takes from a message whose payload nobody has looked at. */
function contextOf({ meta, payload }: ProtoMessage, method: ComponentMethod): AnswerContext {
  const node = meta === undefined ? undefined : readMeta(meta);
  const puid = node?.get("puid");
  const isData = payload?.field === "data";
  return {
    metas: node === undefined || PUID_ONLY.has(method) ? NO_METAS : [node],
    ...(isData && { dataKind: readData(payload.bytes).array?.kind ?? "ndarray" }),
    ...(puid !== undefined && { puid }),
  };
}

/** `meta` as user code is given it: defaults of protobuf are left out. */
function shownMeta(meta: JsonObject): JsonObject {
  const metrics = meta.get("metrics");
  return isList(metrics) ? new Map([...meta, ["metrics", metricsThroughProto(metrics)]]) : meta;
}

function listContext(members: readonly AnswerContext[]): AnswerContext {
  return { ...members[0], metas: members.flatMap(({ metas }) => metas) };
}

function routeOf(response: Buffer | undefined, unitId: string): number | undefined {
  const { meta } = readMessage(response ?? NO_BYTES);
  const routing = meta === undefined ? undefined : readMeta(meta).get("routing");
  const route = isObject(routing) ? routing.get(unitId) : undefined;
  return route instanceof JsonNumber ? Number(route.text) : undefined;
}

function plainPayload({ field, bytes }: NonNullable<ProtoMessage["payload"]>): Payload {
  switch (field) {
    case "binData":
      return { kind: "bytes", bytes };
    case "strData":
      if (!isUtf8(bytes)) throw new WireError("strData is not UTF-8");
      return { kind: "text", text: bytes.toString("utf8") };
    case "jsonData":
      return { kind: "json", json: nodeText(readValue(new WireReader(bytes)), PLAIN_STYLE) };
    case "customData":
      return { kind: "any", bytes };
    case "data":
      throw badData("Unknown data in SeldonMessage"); // arrays are read elsewhere
    default:
      return field satisfies never;
  }
}

/** A Tensor; its numbers are a view of `bytes` when they came in one piece. @throws SeldonError where the shape does not fit */
function readTensor(bytes: Buffer, isStrict: boolean): Tensor {
  const reader = new WireReader(bytes);
  const shape: number[] = [];
  const chunks: Buffer[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TENSOR.values) chunks.push(reader.bytes());
    else if (tag === TENSOR.valuesItem)
      chunks.push(bytes.subarray(reader.at, (reader.skip(tag), reader.at)));
    else if (tag === TENSOR.shape) {
      const outer = reader.enter();
      while (reader.at < reader.end) addBounded(shape, reader.int32(), MAX_AXES, "axes");
      reader.leave(outer);
    } else if (tag === TENSOR.shapeItem) addBounded(shape, reader.int32(), MAX_AXES, "axes");
    else reader.skip(tag);
  }
  const [first = NO_BYTES] = chunks;
  return fitted({ shape, data: chunks.length > 1 ? Buffer.concat(chunks) : first, isStrict });
}

function fitted({
  shape,
  data,
  isStrict,
}: {
  readonly shape: readonly number[];
  readonly data: Buffer;
  readonly isStrict: boolean;
}): Tensor {
  if (data.byteLength % 8 !== 0) throw new WireError("the values of a tensor are no whole doubles");
  const count = data.byteLength / 8;
  const wanted = shape.reduce((product, axis) => product * axis, 1);
  const isPlain = wanted === count && shape.every((axis) => axis >= 0);
  if (isPlain) return { name: "", datatype: "FP64", shape, data };
  if (isStrict && shape.length > 0 && wanted > 0 && wanted < count)
    return { name: "", datatype: "FP64", shape, data: data.subarray(-8 * wanted) }; // the wrapper takes the last ones
  return reshapeTensor(
    { name: "", datatype: "FP64", shape: [count], data },
    shape.map((axis) => new JsonNumber(String(axis), false)),
  );
}
