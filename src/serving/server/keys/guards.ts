import {
  factsOf,
  InferenceError,
  isToolError,
  type ToolError,
} from "../../../ground/errors/index.ts";
import type { MetricRegistry } from "../../metrics/index.ts";
import type { GrpcFailure, GrpcServerOptions, HttpServerOptions } from "../../transport/index.ts";
import { ApiKeys, type KeyHolder } from "./api-keys.ts";
import { readWaiting } from "../waiting-headers.ts";
import { takeKey } from "./key-headers.ts";
import type { ApiKey, Scope } from "./parse-keys.ts";

const SCOPE_OF = { caller: "infer", manager: "manage" } as const;
const CHALLENGE = 'Bearer realm="slipway"';

/** The keys of a server, counted on its page of metrics; undefined for a server without keys. */
export function createApiKeys(
  keys: readonly ApiKey[] | undefined,
  registry: MetricRegistry,
): ApiKeys | undefined {
  if (keys === undefined) return undefined;
  return new ApiKeys(keys, (outcome, key) => {
    const labels = { key, outcome };
    const help = "Requests by the name of their API key, and what came of the key";
    registry.counter("slipway_key_requests_total", help, labels).value += 1;
  });
}

/** Lets in HTTP requests that show a key, all of them where there are no keys, and whose headers of waiting can be read. */
export function admitExchanges(keys: ApiKeys | undefined): Pick<HttpServerOptions, "admit"> {
  if (keys === undefined) return { admit: readWaiting };
  return {
    admit: (exchange, access) => {
      const { error } = admitted(keys, takeKey(exchange.request.headers), scopeOf(access));
      if (error?.code === "KEY_REFUSED") exchange.answerHeader("WWW-Authenticate", CHALLENGE);
      return error ?? readWaiting(exchange);
    },
  };
}

/** The same for calls over gRPC, whose further messages count too. */
export function admitCalls(keys: ApiKeys | undefined): Pick<GrpcServerOptions, "admit"> {
  if (keys === undefined) return {};
  return {
    admit: (headers, access) => {
      const { holder, error } = admitted(keys, takeKey(headers), scopeOf(access));
      if (holder === undefined) return grpcFailure(error);
      return {
        another: () => {
          const refused = refusal(() => keys.charge(holder));
          return refused === undefined ? undefined : grpcFailure(refused);
        },
      };
    },
  };
}

function scopeOf(access: "open" | "caller" | "manager"): Scope {
  return access === "open" ? "infer" : SCOPE_OF[access];
}

interface Verdict {
  readonly holder?: KeyHolder;
  readonly error?: ToolError | undefined;
}

function admitted(keys: ApiKeys, shown: string | undefined, scope: Scope): Verdict {
  let holder: KeyHolder | undefined;
  const error = refusal(() => (holder = keys.admit(shown, scope)));
  return holder === undefined ? { error } : { holder };
}

function refusal(ask: () => void): ToolError | undefined {
  try {
    ask();
    return undefined;
  } catch (error) {
    if (isToolError(error)) return error;
    throw error;
  }
}

function grpcFailure(error: ToolError | undefined): GrpcFailure {
  if (error === undefined) return { status: "INTERNAL", message: "internal error" };
  const seconds = error instanceof InferenceError ? error.retryAfterSeconds : undefined;
  return {
    status: factsOf(error).grpc,
    message: error.message,
    ...(seconds !== undefined && {
      trailers: {
        "retry-after": String(seconds),
        "grpc-retry-pushback-ms": String(seconds * 1000),
      },
    }),
  };
}
