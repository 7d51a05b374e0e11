import type { Ports } from "../../models/description/index.ts";
import { choice, count, environment, flag, needed, text, texts } from "../options/kinds.ts";
import type { CommandSpec, Flag, Option } from "../options/option.ts";
import { PYTHON } from "../options/needs.ts";
import { CODE, MODEL, PACKING, SERVICE_TYPE } from "../options/shared.ts";
import { parsePortNumber } from "../options/values.ts";
import type { ServeGraphRequest } from "./serve-graph-file.ts";
import type { ServePlaceRequest } from "./serve-place.ts";

/** A folder or a URI to serve, or a graph when its file is named. */
export interface ServeWords
  extends ServePlaceRequest, Pick<ServeGraphRequest, "components" | "predictor" | "isolatesNodes"> {
  /** File of a SeldonDeployment. */
  readonly graph?: string | undefined;
}

const PORT_FLAGS: Readonly<Record<keyof Ports, Flag>> = {
  http: {
    form: "--http-port <number>",
    help: "port of REST; 0 takes one that is free (default: the contract's, 9000 for seldon)",
  },
  grpc: { form: "--grpc-port <number>", help: "port of gRPC (default: the contract's)" },
  metrics: {
    form: "--metrics-port <number>",
    help: "port of the metrics page (default: the contract's)",
  },
};

/** `slipway serve [DIR]`. */
export const SERVE_COMMAND: CommandSpec<ServeWords> = {
  options: {
    folder: text(
      "[folder]",
      "the project, a folder of models, or a model's URI: http, https, file, oci, s3, hf",
    ),
    isFetched: flag(
      "--fetch",
      "fetch the model that the variables name, as an image without a model does",
    ),
    graph: text("--graph <file>", "a SeldonDeployment, whose graph is run on this machine"),
    components: text(
      "--components <file>",
      "JSON or YAML: code of each node of the graph, as File.py:Class or the folder of a project",
    ),
    predictor: text(
      "--predictor <name>",
      "predictor of the graph's file, where it has more than one",
    ),
    isolatesNodes: flag(
      "--isolate-nodes",
      "give each node of the graph a process of its own (default: Python nodes that follow each other share one)",
    ),
    code: CODE,
    model: MODEL,
    serviceType: SERVICE_TYPE,
    host: needed("--host <address>", "address to listen on", { byDefault: "127.0.0.1" }),
    ports: portOptions(),
    apiType: choice(
      "--api-type <type>",
      "what is served beside health checks; rest leaves gRPC out",
      ["rest", "grpc", "both"],
      { byDefault: "both" },
    ),
    workers: count("--workers <number>", "worker processes"),
    threads: count("--threads <number>", "calls of user code at the same time in one worker"),
    parameters: text(
      "--parameters <json>",
      'typed arguments of the class, such as [{"name":"n","value":"1","type":"INT"}]',
    ),
    logLevel: text("--log-level <name>", "level of user code's logging, such as INFO"),
    python: text(
      "--python <path>",
      "interpreter (default: the folder's .venv, the active environment, python3)",
    ),
    isInstalled: flag(
      "--install",
      "install what the model needs into an environment that the cache keeps (by uv), and serve with that",
    ),
    findLinks: PACKING.findLinks(),
    indexUrl: PACKING.indexUrl(),
    allowPickle: PACKING.allowPickle(),
    isWatched: flag(
      "--watch",
      "load what changes anew: code, and the models of a folder; what does not load changes nothing",
    ),
    isLazy: flag(
      "--lazy",
      "load the models of a folder when they are first called (default: where there are more than 32)",
    ),
    memoryBudgetMib: count(
      "--memory-budget <MiB>",
      "memory that the loaded models of a folder may take together; what was not called for longest makes room",
    ),
    apiKeys: text(
      "--api-keys <file>",
      "keys of which requests have to show one: a line each of NAME KEY [scopes=infer,manage] [rate=100/s] [burst=200]",
    ),
    logsRequests: flag("--access-log", "a line in the log for each request"),
    page: {
      flags: [{ form: "--no-page", help: "leave out the page for people at /" }],
      read: ([given = []]) => (given.length === 0 ? undefined : false), // else the environment says it
    },
    env: environment("-e, --env <name=value>", "environment of the model; may come more than once"),
    envFiles: texts(
      "--env-file <file>",
      "variables, as docker run reads them; may come more than once",
    ),
  },
  needs: [
    PYTHON,
    { programs: ["uv"], what: "installs Python packages with --install; serve does without" },
  ],
  notes: [
    "Runs until Ctrl-C. Nothing is packed: the folder is served as it lies. A folder whose folders each hold a model (model.py,\nmodel.onnx, metadata.json, slipway.yaml, numbered versions, or a layout of Triton, MLServer or TensorFlow Serving) is\nserved whole, each model under the name of its folder.",
  ],
  examples: [
    "slipway serve ./iris",
    "slipway serve . --code IrisClassifier.py:IrisClassifier --http-port 9000",
    "slipway serve ./iris --install",
    "slipway serve ./models",
    "slipway serve hf://team/iris@v1",
    "slipway serve --env-file model.env",
    "slipway serve --graph abtest.yaml --components components.json",
  ],
};

/** Ports that were named; the others stay out of the way of the contract's own. */
function portOptions(): Option<Partial<Ports>> {
  const entries = Object.entries(PORT_FLAGS);
  return {
    flags: entries.map(([, one]) => one),
    read: (given) =>
      Object.fromEntries(
        entries.flatMap(([name], index) => {
          const value = given[index]?.at(-1);
          return value === undefined ? [] : [[name, parsePortNumber(value)]];
        }),
      ),
  };
}

/** Words for the server that images call `seldon-core-microservice`. */
export interface MicroserviceWords {
  readonly words: readonly string[];
}

/** `slipway seldon-core-microservice NAME [flags]`. */
export const MICROSERVICE_COMMAND: CommandSpec<MicroserviceWords> = {
  options: {
    words: {
      flags: [
        {
          form: "[words...]",
          help: "the class, and flags such as --service-type, --workers, --http-port, --parameters",
        },
      ],
      read: ([given = []]) => given,
    },
  },
  needs: [{ ...PYTHON, isRequired: true }],
  isOpen: true,
  notes: [
    "The class is imported from the working folder; the environment is that of Seldon's wrapper. Runs until Ctrl-C.",
  ],
  examples: ["slipway seldon-core-microservice MyModel --service-type MODEL"],
};
