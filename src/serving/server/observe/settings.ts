import { ToolError } from "../../../ground/errors/index.ts";
import type { ProxyEnvironment } from "../../../ground/http/index.ts";
import type { OtlpSettings } from "./otlp-exporter.ts";
import type { RequestLogSettings } from "./request-log.ts";
import type { Sampler } from "../../plane/index.ts";

/** What is to be seen of a server beside its metrics. Nothing but errors by default. */
export interface ObserveSettings {
  /** A line in the log for each request. Default false. */
  readonly logsRequests?: boolean;
  /** Spans go there; no spans without it. */
  readonly tracing?: { readonly otlp: OtlpSettings; readonly sampler: Sampler };
  /** Requests and answers go there. */
  readonly requestLog?: RequestLogSettings;
  /** Where the proxy variables of the ways to a collector are read from. Default: no proxy. */
  readonly proxyEnv?: ProxyEnvironment;
  /** `POD_NAMESPACE`, for the events of the request log. */
  readonly namespace?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_*`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_*`,
 * `OTEL_BSP_*`, `OTEL_SDK_DISABLED`) and `SLIPWAY_REQUEST_LOG`, `…_MODE`, `…_SAMPLE`, `…_REDACT`, `…_MAX_BYTES`.
 * @throws ToolError `USAGE` for a value that cannot be meant
 */
export function parseObserveSettings(env: Environment, model: string): ObserveSettings {
  const tracing = tracingOf(env, model);
  const requestLog = requestLogOf(env);
  const namespace = env["POD_NAMESPACE"];
  return {
    ...(tracing !== undefined && { tracing }),
    ...(requestLog !== undefined && { requestLog }),
    ...((tracing ?? requestLog) !== undefined && { proxyEnv: env }),
    ...(namespace !== undefined && { namespace }),
  };
}

function tracingOf(env: Environment, model: string): ObserveSettings["tracing"] {
  const url = otlpUrl(env);
  const exporter = env["OTEL_TRACES_EXPORTER"] ?? "otlp";
  if (
    url === undefined ||
    exporter === "none" ||
    env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true"
  )
    return undefined;
  const protocol =
    env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] ?? env["OTEL_EXPORTER_OTLP_PROTOCOL"] ?? "http/json";
  if (protocol === "grpc")
    throw wrong(
      "OTEL_EXPORTER_OTLP_PROTOCOL",
      protocol,
      "http/json, which every collector takes at its HTTP port (4318)",
    );
  const attributes = pairsOf("OTEL_RESOURCE_ATTRIBUTES", env["OTEL_RESOURCE_ATTRIBUTES"]);
  const service = nonEmpty(env["OTEL_SERVICE_NAME"]) ?? attributes["service.name"] ?? model;
  return {
    otlp: {
      url,
      headers: pairsOf(
        "OTEL_EXPORTER_OTLP_HEADERS",
        env["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] ?? env["OTEL_EXPORTER_OTLP_HEADERS"],
      ),
      timeoutMs: numberOf(
        env,
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        numberOf(env, "OTEL_EXPORTER_OTLP_TIMEOUT", 10_000),
      ),
      resource: { ...attributes, "service.name": service },
      delayMs: numberOf(env, "OTEL_BSP_SCHEDULE_DELAY", 5000),
      maxBatch: Math.max(1, numberOf(env, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)),
      maxQueue: Math.max(1, numberOf(env, "OTEL_BSP_MAX_QUEUE_SIZE", 2048)),
    },
    sampler: samplerOf(env),
  };
}

/** The general variable names the collector, to which the path of traces is added; the special one is taken as it is. */
function otlpUrl(env: Environment): string | undefined {
  const special = nonEmpty(env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]);
  const general = nonEmpty(env["OTEL_EXPORTER_OTLP_ENDPOINT"]);
  if (special !== undefined) return httpUrl("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", special);
  return general === undefined
    ? undefined
    : httpUrl("OTEL_EXPORTER_OTLP_ENDPOINT", `${general.replace(/\/+$/, "")}/v1/traces`);
}

function samplerOf(env: Environment): Sampler {
  const name = nonEmpty(env["OTEL_TRACES_SAMPLER"]) ?? "parentbased_always_on";
  const followsCaller = name.startsWith("parentbased_");
  const ratio = (): number => shareOf(env, "OTEL_TRACES_SAMPLER_ARG");
  switch (followsCaller ? name.slice("parentbased_".length) : name) {
    case "always_on":
      return { ratio: 1, followsCaller };
    case "always_off":
      return { ratio: 0, followsCaller };
    case "traceidratio":
      return { ratio: ratio(), followsCaller };
    default:
      throw wrong(
        "OTEL_TRACES_SAMPLER",
        name,
        "always_on, always_off, traceidratio, or one of them with parentbased_ before it",
      );
  }
}

const MODES = ["all", "request", "response"] as const;
const MAX_BODY_BYTES = 65_536;

function requestLogOf(env: Environment): RequestLogSettings | undefined {
  const target = nonEmpty(env["SLIPWAY_REQUEST_LOG"]);
  if (target === undefined || target === "off") return undefined;
  const wanted = nonEmpty(env["SLIPWAY_REQUEST_LOG_MODE"]) ?? "all";
  const mode = MODES.find((known) => known === wanted);
  if (mode === undefined) throw wrong("SLIPWAY_REQUEST_LOG_MODE", wanted, MODES.join(", "));
  const keys = (env["SLIPWAY_REQUEST_LOG_REDACT"] ?? "")
    .split(",")
    .map((key) => key.trim().toLowerCase())
    .filter((key) => key !== "");
  return {
    target: /^[a-z][a-z0-9+.-]*:\/\//i.test(target)
      ? httpUrl("SLIPWAY_REQUEST_LOG", target)
      : target,
    mode,
    sample: shareOf(env, "SLIPWAY_REQUEST_LOG_SAMPLE"),
    redact: new Set(keys),
    maxBytes: numberOf(env, "SLIPWAY_REQUEST_LOG_MAX_BYTES", MAX_BODY_BYTES),
  };
}

function httpUrl(name: string, text: string): string {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text;
  throw wrong(name, text.replace(/\/\/[^/@]*@/, "//"), "an http or https URL");
}

function shareOf(env: Environment, name: string): number {
  const text = nonEmpty(env[name]);
  const value = text === undefined ? 1 : Number(text);
  if (!(value >= 0 && value <= 1)) throw wrong(name, text ?? "", "a number from 0 to 1");
  return value;
}

function numberOf(env: Environment, name: string, otherwise: number): number {
  const text = nonEmpty(env[name]);
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 2 ** 31 - 1)
    throw wrong(name, text ?? "", "a whole number, 0 or more");
  return value;
}

/** `name=value,name=value`, values percent-encoded. */
function pairsOf(name: string, text: string | undefined): Readonly<Record<string, string>> {
  const pairs = (text ?? "").split(",").filter((pair) => pair.trim() !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw wrong(name, "(not shown)", "name=value, with commas between");
      return [pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone percent sign; taken as it stands
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === "" ? undefined : text.trim();
}

function wrong(name: string, value: string, wanted: string): ToolError {
  return new ToolError("USAGE", `read the variable ${name}: "${value}" is not possible`, {
    hint: `give ${wanted}`,
  });
}
