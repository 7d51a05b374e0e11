import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { isToolError } from "../../ground/errors/index.ts";
import {
  buildCall,
  elementsIn,
  type Call,
  type CallInput,
  type CallModel,
  type ProtocolName,
} from "../../serving/calls/index.ts";
import type { Readable } from "node:stream";
import { findModel, type FoundModel } from "./find-model.ts";
import { measure, type Load, type Measured } from "./measure.ts";
import { openTarget, type Asker, type TargetRequest } from "./open-target.ts";
import { readInputs, type InputForm } from "./read-inputs.ts";
import { callServer, apiKeyIn, createServerClient, type ServerClient } from "./server-client.ts";

export interface BenchRequest extends TargetRequest {
  /** A file whose first request is sent again and again. Default: zeros in the shape that the model states. */
  readonly input?: string | undefined;
  readonly form?: InputForm | undefined;
  readonly model?: string | undefined;
  readonly protocol?: ProtocolName | undefined;
  /** Requests at the same time. Default: 1, 2, 4 and so on, until more bring nothing or the limit is passed. */
  readonly connections?: number | undefined;
  /** Requests a second, in place of `connections`. */
  readonly rate?: number | undefined;
  /** Default 5000. */
  readonly durationMs?: number | undefined;
  /** Default 1000. */
  readonly warmUpMs?: number | undefined;
  /** Highest p99 that the best load may have, in ms. Default: none. */
  readonly p99LimitMs?: number | undefined;
}

/** Settings that the measurements speak for. */
export interface Proposal {
  readonly workers: number;
  readonly maxBatch: number;
  /** Why, in a sentence each. */
  readonly reasons: readonly string[];
}

export interface BenchResult {
  readonly model: string;
  readonly protocol: ProtocolName;
  readonly runs: readonly Measured[];
  /** The run of most requests a second without failures whose p99 is within the limit; absent where there is none. */
  readonly best?: Measured;
  readonly proposal: Proposal;
}

const MAX_CONNECTIONS = 256;
/** More connections have to bring this share more, or the search ends. */
const LEAST_GAIN = 1.05;

/**
 * Measures a model under load.
 * @throws ToolError `USAGE` where nothing is known that could be sent; what the first request is refused with
 */
export async function bench(request: BenchRequest, session: Asker): Promise<BenchResult> {
  await using target = await openTarget(request, session);
  using client = createServerClient({
    ...{ url: target.url, signal: session.signal },
    apiKey: apiKeyIn(session.environment),
  });
  const found = await findModel(client, request);
  const call = buildCall(found.protocol, found.model, await inputOf(request, found, session));
  await callServer(client, call);
  const runs: Measured[] = [];
  for (let load: Load | undefined = firstLoad(request); load !== undefined;) {
    session.emit({ kind: "step", text: `measuring ${loadText(load)}` });
    runs.push(await measureLoad(load, { request, client, call, signal: session.signal }));
    load = nextLoad(runs, request);
  }
  const { p99LimitMs = Infinity } = request;
  const best = runs
    .filter((run) => run.failures === 0 && run.percentiles.p99 <= p99LimitMs && run.requests > 0)
    .sort((a, b) => b.requestsPerSecond - a.requestsPerSecond)[0];
  return {
    ...{ model: found.model.name, protocol: found.protocol, runs },
    ...(best !== undefined && { best }),
    proposal: propose(found.model, runs, best),
  };
}

/** A load in words: `8 connections`, `200 requests/s`. */
export function loadText(load: Load): string {
  return load.kind === "closed"
    ? `${load.connections} connection${load.connections === 1 ? "" : "s"}`
    : `${load.requestsPerSecond} requests/s`;
}

async function inputOf(
  { input, form }: BenchRequest,
  { model, protocol }: FoundModel,
  { cwd }: Asker,
): Promise<CallInput> {
  if (input === undefined) return zeros(model);
  const { Readable: Stream } = await import("node:stream");
  const stdin: Readable = Stream.from([]);
  const batches = readInputs({ path: resolve(cwd, input), form, model, protocol, stdin });
  const { value } = await batches.next();
  await batches.return(undefined);
  if (value === undefined) throw new ToolError("USAGE", `read "${input}": there is nothing in it`);
  return value.input;
}

function zeros({ name, inputs }: CallModel): CallInput {
  if (inputs.length === 0)
    throw new ToolError("USAGE", `measure "${name}": the model does not say what it takes`, {
      hint: "name a file to send by --input",
    });
  const tensors = inputs.map(({ name: input, datatype, shape }) => {
    const sizes = shape.map((size) => (size < 0 ? 1 : size));
    const zero = datatype === "BYTES" ? '""' : datatype === "BOOL" ? "false" : "0";
    const literals = Array.from({ length: elementsIn(sizes) }, () => zero);
    return { name: input, datatype, shape: sizes, literals };
  });
  return { kind: "tensors", tensors };
}

function firstLoad({ rate, connections = 1 }: BenchRequest): Load {
  return rate === undefined
    ? { kind: "closed", connections }
    : { kind: "open", requestsPerSecond: rate };
}

/** Twice as many connections, while that brings something. */
function nextLoad(runs: readonly Measured[], request: BenchRequest): Load | undefined {
  const [before, last] = runs.length > 1 ? runs.slice(-2) : [undefined, runs[0]];
  if (request.connections !== undefined || last?.load.kind !== "closed") return undefined;
  const isWorse =
    before !== undefined && last.requestsPerSecond < LEAST_GAIN * before.requestsPerSecond;
  const isOver = last.failures > 0 || last.percentiles.p99 > (request.p99LimitMs ?? Infinity);
  const connections = 2 * last.load.connections;
  return isWorse || isOver || connections > MAX_CONNECTIONS
    ? undefined
    : { kind: "closed", connections };
}

async function measureLoad(
  load: Load,
  {
    request,
    client,
    call,
    signal,
  }: {
    readonly request: BenchRequest;
    readonly client: ServerClient;
    readonly call: Call;
    readonly signal: AbortSignal;
  },
): Promise<Measured> {
  const { durationMs = 5000, warmUpMs = 1000 } = request;
  const body = Buffer.from(typeof call.body === "string" ? call.body : await call.body.bytes());
  const send = async (): Promise<boolean> => {
    try {
      return (await client.post(call.path, call.contentType, body)).status === 200;
    } catch (error) {
      if (!isToolError(error)) throw error;
      return false; // refused or cut off: counted
    }
  };
  return measure({ load, warmUpMs, durationMs, send, signal });
}

/** What the server told of itself, where it is one of ours. */
type Limits = Readonly<Record<"workers" | "maxBatch", number>>;

function limitsOf(model: CallModel): Limits {
  const said: unknown = "limits" in model ? model.limits : undefined;
  const read = (key: keyof Limits): number => {
    const value: unknown = typeof said === "object" && said !== null ? Reflect.get(said, key) : 1;
    return typeof value === "number" ? value : 1;
  };
  return { workers: read("workers"), maxBatch: read("maxBatch") };
}

/** How many times longer a request takes under the last load than under the first. */
function waitFactor(runs: readonly Measured[]): number {
  const [first] = runs;
  const last = runs.at(-1);
  return (last?.percentiles.p50 ?? 0) / Math.max(first?.percentiles.p50 ?? 1, 0.001);
}

/** A wait from which on requests are taken to stand in line. */
const QUEUE_FACTOR = 2;

/** More workers where more connections bring nothing and processors are left; batches where requests stand in line. */
function propose(
  model: CallModel,
  runs: readonly Measured[],
  best: Measured | undefined,
): Proposal {
  const { workers, maxBatch } = limitsOf(model);
  const factor = waitFactor(runs);
  if (runs.length < 2 || factor <= QUEUE_FACTOR)
    return { workers, maxBatch, reasons: ["nothing speaks for other settings"] };
  const processors = availableParallelism();
  const wanted = Math.max(workers, processors);
  const inLine = best?.load.kind === "closed" ? Math.ceil(best.load.connections / wanted) : 1;
  const joins = "joinsRows" in model && model.joinsRows === true;
  const batch =
    joins && inLine > 1 ? Math.max(maxBatch, 2 ** Math.ceil(Math.log2(inLine))) : maxBatch;
  const reasons = [
    wanted > workers
      ? `requests wait (p50 grows ${factor.toFixed(1)} times) and this machine has ${processors} processors: workers: ${wanted}`
      : "requests wait, and there is a worker for each processor",
    ...(batch > maxBatch
      ? [
          `${inLine} requests wait for each worker, and the model takes several rows: maxBatch: ${batch}`,
        ]
      : []),
  ];
  return { workers: wanted, maxBatch: batch, reasons };
}
