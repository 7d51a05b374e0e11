import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

/** A request that is sent again and again. */
export interface LoadRequest {
  readonly port: number;
  readonly path: string;
  readonly contentType: string;
  /** File that holds the body. */
  readonly bodyFile: string;
}

export interface LoadPlan {
  readonly connections: number;
  readonly seconds: number;
  /** Seconds before that which do not count. Default 1. */
  readonly warmUp?: number;
  /** Requests that come due each second, whatever the answers do; absent for as many as the connections carry. */
  readonly rate?: number;
}

export interface LoadResult {
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 200, and connections that broke inside an answer. */
  readonly errors: number;
  /** Bytes of one answer. */
  readonly answerBytes: number;
}

/**
 * Puts load on a port of this machine from a process of its own. With a rate the latency of a request counts from when it came due, so
 * that a server that stalls cannot hide it.
 */
export async function httpLoad(request: LoadRequest, plan: LoadPlan): Promise<LoadResult> {
  const child = spawn(
    process.execPath,
    [resolve(import.meta.dirname, "load-process.ts"), JSON.stringify({ ...request, ...plan })],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`the load generator ended with ${code}`);
  return JSON.parse(text) as LoadResult;
}
