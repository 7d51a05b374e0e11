import type { Bytes } from "../../ground/bytes/index.ts";
import type { RunOptions, RunResult } from "../../ground/process/index.ts";
import type { EngineKind } from "./contracts.ts";

/** Runs the engine's program with its own arguments first. */
export interface EngineCall {
  readonly kind: EngineKind;
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  stream(args: readonly string[], options?: Omit<RunOptions, "onStdout">): Bytes;
}
