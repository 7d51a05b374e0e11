import { randomUUID } from "node:crypto";
import { isToolError, stripControls } from "../../ground/errors/index.ts";
import { WireError } from "../../ground/wire/index.ts";
import type { GraphFile } from "../../models/description/index.ts";
import {
  seldonJsonToProto,
  seldonProtoToJson,
  type SeldonMessageName,
} from "../protocols/index.ts";
import type { GrpcCall, GrpcMethod } from "../transport/index.ts";
import type { GraphAnswer, GraphCaller, GraphMessage } from "./contracts.ts";
import type { GraphExecutor } from "./executor.ts";
import { graphMetadata } from "./graph-metadata.ts";

const JSON_TYPE = "application/json";
const OK = 200;

export interface GraphGrpcOptions {
  readonly graph: GraphFile;
  readonly executor: GraphExecutor;
  /** Told about what is nobody's fault but ours. */
  readonly onBug: (error: unknown, requestId: string) => void;
}

/** One method: what its messages are, and what the graph is asked. */
interface GraphCallKind {
  readonly request: SeldonMessageName;
  readonly answer: SeldonMessageName;
  readonly ask: (message: GraphMessage, caller: GraphCaller) => Promise<GraphAnswer>;
}

/**
 * The gRPC interface of Seldon's executor. Messages travel through the graph in their JSON form, so that nodes are called in one way; numbers
 * of arrays keep their point, and classes get the floats that they get over gRPC.
 */
export function graphGrpcMethods(options: GraphGrpcOptions): ReadonlyMap<string, GrpcMethod> {
  const { graph, executor } = options;
  const method = (name: string, kind: GraphCallKind): GrpcMethod => ({
    name,
    onMessage: (call, message) => void answer(call, { message, kind, options }), // it never rejects
  });
  const predict = method("predictions", {
    request: "SeldonMessage",
    answer: "SeldonMessage",
    ask: (message, caller) => executor.predict(message, caller),
  });
  const feedback = method("feedback", {
    request: "Feedback",
    answer: "SeldonMessage",
    ask: (message, caller) => executor.feedback(message, caller),
  });
  return new Map([
    ["/seldon.protos.Seldon/Predict", predict],
    ["/seldon.protos.Model/Predict", predict],
    ["/seldon.protos.Seldon/SendFeedback", feedback],
    ["/seldon.protos.Model/SendFeedback", feedback],
    [
      "/seldon.protos.Seldon/ModelMetadata",
      method("metadata", {
        request: "SeldonModelMetadataRequest",
        answer: "SeldonModelMetadata",
        ask: ({ body }, caller) => executor.ask(nameIn(body), "metadata", caller),
      }),
    ],
    [
      "/seldon.protos.Seldon/GraphMetadata",
      method("metadata", {
        request: "SeldonModelMetadataRequest",
        answer: "SeldonGraphMetadata",
        ask: async (_, caller) => withPlainKeys(await graphMetadata(executor, graph, caller)),
      }),
    ],
  ]);
}

async function answer(
  call: GrpcCall,
  {
    message,
    kind,
    options,
  }: {
    readonly message: Buffer;
    readonly kind: GraphCallKind;
    readonly options: GraphGrpcOptions;
  },
): Promise<void> {
  const requestId = (call.requestId ??= randomUUID());
  try {
    const caller: GraphCaller = {
      requestId,
      headers: call.textHeaders,
      isGrpc: true,
      span: call.span,
      waiting: { whileWaiting: () => call.whileWaiting() },
    };
    const body = seldonProtoToJson(message, kind.request);
    const { status, body: answered } = await kind.ask({ contentType: JSON_TYPE, body }, caller);
    if (call.status !== undefined) return; // the client has gone
    if (status === OK) call.reply(seldonJsonToProto(answered, kind.answer));
    else
      call.fail({
        status: "UNKNOWN", // of every error, as there
        message: infoIn(answered),
        trailers: { "seldon-status": String(status) },
      });
  } catch (error) {
    refuse(call, error, { requestId, onBug: options.onBug });
  }
}

function refuse(
  call: GrpcCall,
  error: unknown,
  { requestId, onBug }: { requestId: string; onBug: GraphGrpcOptions["onBug"] },
): void {
  const isKnown = error instanceof WireError || isToolError(error) || error instanceof SyntaxError;
  if (!isKnown) onBug(error, requestId);
  if (call.status !== undefined) return;
  call.fail({
    status: "INTERNAL",
    message: isKnown ? stripControls(error.message) : "internal error",
  });
}

/** What an error's body says, or its beginning. */
function infoIn(body: Buffer): string {
  const text = body.toString("utf8");
  const { info } = statusIn(text);
  return stripControls(typeof info === "string" && info !== "" ? info : text.slice(0, 1000));
}

function statusIn(text: string): { readonly info?: unknown } {
  try {
    const value = JSON.parse(text) as {
      readonly status?: { readonly info?: unknown } | null;
    } | null;
    return value?.status ?? {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function nameIn(body: Buffer): string {
  const { name } = JSON.parse(body.toString("utf8")) as { readonly name?: string }; // written by our own mapping
  return name ?? "";
}

/** REST calls the same fields otherwise. */
function withPlainKeys(answered: GraphAnswer): GraphAnswer {
  if (answered.status !== OK) return answered;
  const { graphinputs, graphoutputs, ...rest } = JSON.parse(answered.body.toString("utf8")) as {
    readonly graphinputs?: unknown;
    readonly graphoutputs?: unknown;
  }; // written just now
  const text = JSON.stringify({ ...rest, inputs: graphinputs, outputs: graphoutputs });
  return { ...answered, body: Buffer.from(text) };
}
