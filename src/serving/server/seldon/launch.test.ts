import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSeldonLaunch, type SeldonLaunch } from "./launch.ts";
import { DEFAULT_SELDON_SETTINGS } from "../../protocols/index.ts";

const DEFAULTS = {
  parameters: [],
  ports: {},
  hasGrpc: true,
  metricsPath: "/metrics",
  threads: 1,
  logLevel: "INFO",
  accessLog: false,
} as const;

test("without arguments and environment everything has the wrapper's default", () => {
  const launch = parseSeldonLaunch([], {});
  assert.deepEqual(launch, { ...DEFAULTS, settings: DEFAULT_SELDON_SETTINGS, ignored: [] });
});

test("each flag, and each variable in its place", () => {
  const cases: readonly (readonly [
    argv: readonly string[],
    env: Record<string, string>,
    expected: Partial<SeldonLaunch>,
  ])[] = [
    [["M"], {}, { interfaceName: "M" }],
    [[], { MODEL_NAME: "M" }, { interfaceName: "M" }],
    [["M"], { MODEL_NAME: "N" }, { interfaceName: "M" }],
    [["--service-type", "COMBINER"], { SERVICE_TYPE: "ROUTER" }, { serviceType: "COMBINER" }],
    [[], { SERVICE_TYPE: "OUTLIER_DETECTOR" }, { serviceType: "OUTLIER_DETECTOR" }],
    [
      ["--http-port", "1", "--grpc-port=2", "--metrics-port", "3"],
      {},
      { ports: { http: 1, grpc: 2, metrics: 3 } },
    ],
    [
      ["--http-port", "1"],
      {
        PREDICTIVE_UNIT_HTTP_SERVICE_PORT: "9",
        PREDICTIVE_UNIT_GRPC_SERVICE_PORT: "8",
        PREDICTIVE_UNIT_METRICS_SERVICE_PORT: "7",
      },
      { ports: { http: 1, grpc: 8, metrics: 7 } },
    ],
    [["--workers", "4"], { GUNICORN_WORKERS: "2" }, { workers: 4 }],
    [[], { GUNICORN_WORKERS: "2" }, { workers: 2 }],
    [["--threads", "4"], {}, { threads: 4 }],
    [[], { GUNICORN_THREADS: "3" }, { threads: 3 }],
    [["--threads", "4", "--single-threaded", "1"], {}, { threads: 1 }],
    [[], { GUNICORN_THREADS: "3", FLASK_SINGLE_THREADED: "1" }, { threads: 1 }],
    [["--grpc-workers", "0"], {}, { hasGrpc: false }],
    [[], { GRPC_WORKERS: "0" }, { hasGrpc: false }],
    [["--log-level", "DEBUG"], {}, { logLevel: "DEBUG" }],
    [["--log-level", "DEBUG"], { SELDON_LOG_LEVEL: "ERROR" }, { logLevel: "ERROR" }],
    [["--access-log"], {}, { accessLog: true }],
    [["--access-log", "false"], {}, { accessLog: false }],
    [["--access-log", "false"], { SELDON_STRICT_COMPAT: "1" }, { accessLog: true }],
    [[], { GUNICORN_ACCESS_LOG: "T" }, { accessLog: true }],
    [["--pidfile", "/run/x"], {}, { pidFile: "/run/x" }],
    [[], { PREDICTIVE_UNIT_METRICS_ENDPOINT: "/prometheus" }, { metricsPath: "/prometheus" }],
    [
      ["--parameters", '[{"name":"a","value":"1","type":"INT"}]'],
      { PREDICTIVE_UNIT_PARAMETERS: "[]" },
      { parameters: [{ name: "a", value: "1", type: "INT" }] },
    ],
    [
      [],
      { PREDICTIVE_UNIT_PARAMETERS: '[{"name":"a","value":2}]' },
      { parameters: [{ name: "a", value: 2, type: "STRING" }] },
    ],
  ];
  for (const [argv, env, expected] of cases) {
    const launch = parseSeldonLaunch(argv, env);
    assert.deepEqual(
      Object.fromEntries(
        Object.keys(expected).map((key) => [key, launch[key as keyof SeldonLaunch]]),
      ),
      expected,
      `${argv.join(" ")} ${JSON.stringify(env)}`,
    );
  }
});

test("settings of a node come from the environment", () => {
  const { settings } = parseSeldonLaunch([], {
    PREDICTIVE_UNIT_ID: "unit",
    PREDICTIVE_UNIT_IMAGE: "org/image:1",
    SELDON_DEPLOYMENT_ID: "deployment",
    PREDICTOR_ID: "main",
    PREDICTOR_LABELS: '{"version":"v1"}',
    INCLUDE_METRICS_IN_CLIENT_RESPONSE: "yes",
    PAYLOAD_PASSTHROUGH: "true",
    SELDON_EXECUTOR_ENABLED: "False",
    MODEL_METADATA: "name: x",
    SLIPWAY_TYPED_ARRAYS: "1",
    SLIPWAY_CHECK_SHAPES: "1",
    FLASK_JSON_SORT_KEYS: "0",
    FLASK_JSON_AS_ASCII: "no",
    FLASK_JSONIFY_PRETTYPRINT_REGULAR: "t",
  });
  assert.deepEqual(settings, {
    isStrict: false,
    isPassthrough: true,
    countsRewards: false,
    hasTypedArrays: true,
    checksShapes: true,
    sortKeys: false,
    asciiOnly: false,
    isPretty: true,
    includeMetrics: false,
    unitId: "unit",
    unitImage: "org/image:1",
    modelMetadata: "name: x",
    deploymentName: "deployment",
    predictorName: "main",
    predictorVersion: "v1",
  });
  assert.equal(
    parseSeldonLaunch(["--debug"], {}).settings.isPretty,
    true,
    "Flask prints prettily when it debugs",
  );
  assert.equal(parseSeldonLaunch(["--debug", "false"], {}).settings.isPretty, false);
  assert.equal(parseSeldonLaunch([], { SELDON_DEBUG: "1" }).settings.isPretty, true);
});

test("what has no effect here is named with its reason", () => {
  const env = {
    TRACING: "1",
    API_TYPE: "REST",
    PERSISTENCE: "0",
    FLASK_TESTING: "1",
    FLASK_PROPAGATE_EXCEPTIONS: "1",
    GUNICORN_MAX_REQUESTS: "5",
    USE_MULTIPROCESS_PACKAGE: "1",
  };
  const { ignored } = parseSeldonLaunch(["--keepalive", "5"], env);
  for (const name of ["--keepalive", ...Object.keys(env)])
    assert.equal(ignored.filter((note) => note.startsWith(`${name}: `)).length, 1, name);
});

test("what the wrapper refuses is refused", () => {
  const wrong: readonly (readonly [readonly string[], Record<string, string>])[] = [
    [["M", "REST"], {}],
    [["--unknown", "1"], {}],
    [["--http-port"], {}],
    [["--http-port", "x"], {}],
    [["--workers", "-1"], {}],
    [["--service-type", "OUTPUT_TRANSFORMER"], {}],
    [[], { SERVICE_TYPE: "model" }],
    [["--log-level", "info"], {}],
    [[], { SELDON_LOG_LEVEL: "LOUD" }],
    [["--parameters", "{"], {}],
    [["--parameters", "{}"], {}],
    [["--parameters", "[1]"], {}],
  ];
  for (const [argv, env] of wrong)
    assert.throws(
      () => parseSeldonLaunch(argv, env),
      { code: "USAGE" },
      `${argv.join(" ")} ${JSON.stringify(env)}`,
    );
});
