import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

/** A unary call that is made again and again. */
export interface GrpcLoadRequest {
  readonly port: number;
  /** Such as `/package.Service/Method`. */
  readonly path: string;
  /** File that holds the serialised message. */
  readonly messageFile: string;
}

export interface GrpcLoadPlan {
  /** Calls under way at the same time, over all connections. */
  readonly inFlight: number;
  /** Default 1. */
  readonly connections?: number;
  readonly seconds: number;
  /** Seconds before that which do not count. Default 1. */
  readonly warmUp?: number;
}

export interface GrpcLoadResult {
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Calls that ended with another status than OK. */
  readonly errors: number;
  /** Bytes of one answer with its prefix. */
  readonly answerBytes: number;
}

/** Puts gRPC load on a port of this machine from a process of its own. */
export async function grpcLoad(
  request: GrpcLoadRequest,
  plan: GrpcLoadPlan,
): Promise<GrpcLoadResult> {
  const child = spawn(
    process.execPath,
    [resolve(import.meta.dirname, "grpc-load-process.ts"), JSON.stringify({ ...request, ...plan })],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`the load generator ended with ${code}`);
  return JSON.parse(text) as GrpcLoadResult;
}
