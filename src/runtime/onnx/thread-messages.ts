import type { Datatype, TensorSpec } from "../../tensor/index.ts";

/** What the thread is started with. */
export interface ThreadStart {
  readonly modelPath: string;
  /** Threads inside one call. */
  readonly intraOpThreads: number;
}

/** One tensor on its way; `data` is transferred, not copied. */
export interface WireTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: ArrayBuffer;
}

/** From the server to the thread. */
export interface ThreadCall {
  readonly id: number;
  readonly inputs: readonly WireTensor[];
}

/** From the thread to the server. The first message is `ready` or `failed`. */
export type ThreadAnswer =
  | { readonly kind: "ready"; readonly inputs: readonly TensorSpec[]; readonly outputs: readonly string[] }
  | { readonly kind: "failed"; readonly reason: "missing" | "load"; readonly message: string }
  | { readonly kind: "done"; readonly id: number; readonly outputs: readonly WireTensor[] }
  | { readonly kind: "error"; readonly id: number; readonly message: string };
