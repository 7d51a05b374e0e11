import type { ErrorCode } from "../../../ground/errors/index.ts";

/**
 * What a thread sends: once `ready` or `failed`, then one `done` or `error` for each call, before it any number of `part`s where the call may
 * have several answers, and log lines at any time; `over` when it was told to end.
 */
export type FromThread =
  | { readonly kind: "ready"; readonly facts: unknown }
  | {
      readonly kind: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint?: string;
    }
  | { readonly kind: "part"; readonly id: number; readonly value: unknown }
  | { readonly kind: "over" }
  | { readonly kind: "done"; readonly id: number; readonly value: unknown }
  | {
      readonly kind: "error";
      readonly id: number;
      readonly error: unknown;
      /** True when the thread ends now, and another one is to take its place. */
      readonly isLast?: boolean;
    }
  | {
      readonly kind: "log";
      readonly level: string;
      readonly text: string;
      readonly requestId?: string;
    };

/**
 * What a thread is sent: a call; or a step of the one that it is in: the next part is wanted, or no more of them are; or that it is to end,
 * which only threads are told that say good-bye.
 */
export type ToThread =
  | { readonly id: number; readonly value: unknown; readonly step?: undefined }
  | { readonly id: number; readonly value?: undefined; readonly step: "next" | "stop" | "end" };
