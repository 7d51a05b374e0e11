import { USER_CODE_DEFAULTS } from "../../plane/index.ts";
import { ToolError } from "../../../ground/errors/index.ts";
import type { Ports, ServiceType } from "../../../models/description/index.ts";
import type { ClassParameter } from "../../runtime/index.ts";
import { booleanOf, numberIn, readFlags, type FlagValues } from "./flags.ts";
import { DEFAULT_SELDON_SETTINGS, type SeldonSettings } from "../../protocols/index.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that `seldon-core-microservice`'s flags and environment say. */
export interface SeldonLaunch {
  /** `Name` or `pkg.module.Class`; absent when only the environment was read and has no MODEL_NAME. */
  readonly interfaceName?: string;
  /** Absent when not said. */
  readonly serviceType?: ServiceType;
  readonly parameters: readonly ClassParameter[];
  /** Those that are said; the description's, or 9000, 5000 and 6000, apply otherwise. */
  readonly ports: Partial<Ports>;
  /** False with `--grpc-workers 0`, and with `--api-type REST`. */
  readonly hasGrpc: boolean;
  /** Path of the metrics page on the metrics port. */
  readonly metricsPath: string;
  /** Absent when not said. */
  readonly workers?: number;
  /** Calls of user code at the same time in one worker. */
  readonly threads: number;
  /** A name of Python's logging. */
  readonly logLevel: string;
  readonly accessLog: boolean;
  readonly pidFile?: string;
  readonly settings: SeldonSettings;
  /** Flags and variables that are taken and do nothing here, each with the reason; to be named once in the log. */
  readonly ignored: readonly string[];
}

const SERVICE_TYPES: readonly ServiceType[] = [
  "MODEL",
  "ROUTER",
  "TRANSFORMER",
  "COMBINER",
  "OUTLIER_DETECTOR",
];
const LOG_LEVELS = ["CRITICAL", "FATAL", "ERROR", "WARN", "WARNING", "INFO", "DEBUG", "NOTSET"];
const IGNORED_FLAGS: readonly (readonly [flag: string, variable: string, why: string])[] = [
  [
    "max-requests",
    "GUNICORN_MAX_REQUESTS",
    "workers are replaced when they die or grow, not after a number of requests",
  ],
  ["max-requests-jitter", "GUNICORN_MAX_REQUESTS_JITTER", "see max-requests"],
  ["keepalive", "GUNICORN_KEEPALIVE", "connections stay open for 75 s"],
  [
    "grpc-threads",
    "GRPC_THREADS",
    "one process answers gRPC; workers and threads decide what runs at once",
  ],
  ["tracing", "TRACING", "Jaeger's client is no more"],
  ["persistence", "PERSISTENCE", "it did nothing there either"],
];
const IGNORED_VARIABLES: readonly (readonly [name: string, why: string])[] = [
  ["API_TYPE", "REST and gRPC are both served"],
  ["USE_MULTIPROCESS_PACKAGE", "there are no Python processes that share memory"],
];
const IGNORED_FLASK = [
  "EXPLAIN_TEMPLATE_LOADING",
  "PRESERVE_CONTEXT_ON_EXCEPTION",
  "PROPAGATE_EXCEPTIONS",
  "SESSION_COOKIE_HTTPONLY",
  "SESSION_COOKIE_SECURE",
  "SESSION_REFRESH_EACH_REQUEST",
  "TEMPLATES_AUTO_RELOAD",
  "TESTING",
  "TRAP_HTTP_EXCEPTIONS",
  "TRAP_BAD_REQUEST_ERRORS",
  "USE_X_SENDFILE",
];

/**
 * Reads the arguments of `seldon-core-microservice` with its environment. A flag wins over its variable, but for the log level.
 * @param argv - without program names; empty to read the environment alone
 * @throws ToolError `USAGE`
 */
export function parseSeldonLaunch(argv: readonly string[], env: Environment): SeldonLaunch {
  const flags = readFlags(argv);
  const isStrict = truth(env["SELDON_STRICT_COMPAT"]);
  const flag = (name: string, isDefault = false): boolean =>
    booleanOf(flags, { name, isStrict, otherwise: isDefault });
  const isDebug = flag("debug", truth(env["SELDON_DEBUG"]));
  const workers = numberIn(flags, { name: "workers", text: env["GUNICORN_WORKERS"], otherwise: 0 });
  const serviceType = flags.values.get("service-type") ?? env["SERVICE_TYPE"];
  const interfaceName = flags.positional ?? env["MODEL_NAME"];
  return {
    ...(interfaceName !== undefined && { interfaceName }),
    ...(serviceType !== undefined && { serviceType: serviceTypeOf(serviceType) }),
    parameters: parametersOf(flags.values.get("parameters") ?? env["PREDICTIVE_UNIT_PARAMETERS"]),
    ports: portsOf(flags, env),
    hasGrpc: hasGrpcOf(flags, env),
    metricsPath: env["PREDICTIVE_UNIT_METRICS_ENDPOINT"] ?? "/metrics",
    ...(workers > 0 && { workers }),
    threads: threadsOf(flags, env),
    logLevel: logLevelOf(
      env["SELDON_LOG_LEVEL"] ?? flags.values.get("log-level") ?? USER_CODE_DEFAULTS.logLevel,
    ),
    accessLog: flag("access-log", truth(env["GUNICORN_ACCESS_LOG"])),
    ...(flags.values.has("pidfile") && { pidFile: flags.values.get("pidfile") ?? "" }),
    settings: settingsOf(env, { isStrict, isDebug }),
    ignored: ignoredOf(flags, env),
  };
}

const API_TYPES = ["REST", "GRPC", "BOTH"];

/** @throws ToolError `USAGE` */
function hasGrpcOf(flags: FlagValues, env: Environment): boolean {
  const text = flags.values.get("api-type") ?? "BOTH";
  const type = text.toUpperCase();
  if (!API_TYPES.includes(type))
    throw new ToolError("USAGE", `read --api-type: invalid choice: "${text}"`, {
      hint: "choose from REST, GRPC, BOTH; REST is served in any case, since probes ask it",
    });
  return (
    type !== "REST" &&
    numberIn(flags, { name: "grpc-workers", text: env["GRPC_WORKERS"], otherwise: 1 }) > 0
  );
}

/** Truth as the wrapper reads it from the environment: 1, true and t, in any case. */
export function truth(text: string | undefined): boolean {
  return text !== undefined && ["1", "true", "t"].includes(text.toLowerCase());
}

const PORTS = [
  ["http", "http-port", "PREDICTIVE_UNIT_HTTP_SERVICE_PORT"],
  ["grpc", "grpc-port", "PREDICTIVE_UNIT_GRPC_SERVICE_PORT"],
  ["metrics", "metrics-port", "PREDICTIVE_UNIT_METRICS_SERVICE_PORT"],
] as const;

function portsOf(flags: FlagValues, env: Environment): Partial<Ports> {
  const said = PORTS.map(
    ([key, name, variable]) =>
      [key, numberIn(flags, { name, text: env[variable], otherwise: -1 })] as const,
  );
  return Object.fromEntries(said.filter(([, port]) => port >= 0));
}

function settingsOf(
  env: Environment,
  { isStrict, isDebug }: { isStrict: boolean; isDebug: boolean },
): SeldonSettings {
  const flask = (name: string, otherwise: boolean): boolean =>
    env[`FLASK_${name}`] === undefined ? otherwise : truth(env[`FLASK_${name}`]);
  const metrics = env["INCLUDE_METRICS_IN_CLIENT_RESPONSE"];
  const text = (key: keyof SeldonSettings, variable: string): Record<string, string> =>
    env[variable] === undefined ? {} : { [key]: env[variable] };
  const version = labelVersion(env["PREDICTOR_LABELS"]);
  return {
    ...DEFAULT_SELDON_SETTINGS,
    isStrict,
    isPassthrough: truth(env["PAYLOAD_PASSTHROUGH"]),
    hasTypedArrays: truth(env["SLIPWAY_TYPED_ARRAYS"]),
    checksShapes: truth(env["SLIPWAY_CHECK_SHAPES"] ?? String(!isStrict)),
    countsRewards: env["SELDON_EXECUTOR_ENABLED"]?.toLowerCase() !== "false",
    sortKeys: flask("JSON_SORT_KEYS", true),
    asciiOnly: flask("JSON_AS_ASCII", true),
    isPretty: flask("JSONIFY_PRETTYPRINT_REGULAR", isDebug || truth(env["FLASK_DEBUG"])),
    includeMetrics: metrics === undefined || metrics.toLowerCase() === "true",
    ...text("unitId", "PREDICTIVE_UNIT_ID"),
    ...text("unitImage", "PREDICTIVE_UNIT_IMAGE"),
    ...text("modelMetadata", "MODEL_METADATA"),
    ...text("deploymentName", "SELDON_DEPLOYMENT_ID"),
    ...text("predictorName", "PREDICTOR_ID"),
    ...(version !== undefined && { predictorVersion: version }),
  };
}

function labelVersion(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const labels = JSON.parse(text) as { version?: unknown } | null; // looked at below
    return typeof labels?.version === "string" ? labels.version : undefined;
  } catch {
    return undefined; // labels are an ornament; a bad one must not keep a model from starting
  }
}

function serviceTypeOf(text: string): ServiceType {
  const found = SERVICE_TYPES.find((type) => type === text);
  if (found === undefined) {
    throw new ToolError("USAGE", `read --service-type: invalid choice: "${text}"`, {
      hint: `choose from ${SERVICE_TYPES.join(", ")}; an output transformer runs as TRANSFORMER`,
    });
  }
  return found;
}

function logLevelOf(text: string): string {
  if (!LOG_LEVELS.includes(text))
    throw new ToolError("USAGE", `read the log level: Invalid log level "${text}"`, {
      hint: `choose from ${LOG_LEVELS.join(", ")}`,
    });
  return text;
}

function threadsOf(flags: FlagValues, env: Environment): number {
  const isSingle =
    numberIn(flags, {
      name: "single-threaded",
      text: env["FLASK_SINGLE_THREADED"],
      otherwise: 0,
    }) !== 0;
  return isSingle
    ? 1
    : Math.max(
        1,
        numberIn(flags, {
          name: "threads",
          text: env["GUNICORN_THREADS"],
          otherwise: USER_CODE_DEFAULTS.threads,
        }),
      );
}

function parametersOf(text: string | undefined): readonly ClassParameter[] {
  if (text === undefined || text.trim() === "") return [];
  const wrong = (why: string): ToolError =>
    new ToolError("USAGE", `read the parameters: ${why}`, {
      hint: 'give a JSON list such as [{"name":"n","value":"1","type":"INT"}]',
    });
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw wrong(`not JSON: ${error instanceof Error ? error.message : ""}`);
  }
  if (!Array.isArray(list)) throw wrong("not a list");
  return list.map((item: unknown) => {
    const { name, value, type } = (item ?? {}) as Record<string, unknown>; // looked at below
    if (typeof name !== "string") throw wrong("an entry has no name");
    return { name, value, type: typeof type === "string" ? type : "STRING" };
  });
}

function ignoredOf(flags: FlagValues, env: Environment): readonly string[] {
  const notes: string[] = [];
  for (const [name, variable, why] of IGNORED_FLAGS) {
    if (flags.values.has(name)) notes.push(`--${name}: ${why}`);
    else if (env[variable] !== undefined) notes.push(`${variable}: ${why}`);
  }
  for (const [name, why] of IGNORED_VARIABLES)
    if (env[name] !== undefined) notes.push(`${name}: ${why}`);
  for (const name of IGNORED_FLASK)
    if (env[`FLASK_${name}`] !== undefined) notes.push(`FLASK_${name}: there is no Flask here`);
  return notes;
}
