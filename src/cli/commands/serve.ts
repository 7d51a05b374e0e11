import { Option, type Command } from "commander";
import { serveFolder, serveGraphFile, type Ports } from "../../app/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { CommandModule } from "../command.ts";
import { collect, countOf, environmentOf, portOf } from "../options.ts";

interface Flags {
  readonly code?: string;
  readonly model?: string;
  readonly serviceType?: string;
  readonly graph?: string;
  readonly components?: string;
  readonly predictor?: string;
  readonly host: string;
  readonly httpPort?: number;
  readonly grpcPort?: number;
  readonly metricsPort?: number;
  readonly apiType: "rest" | "grpc" | "both";
  readonly workers?: number;
  readonly threads?: number;
  readonly parameters?: string;
  readonly logLevel?: string;
  readonly python?: string;
  readonly watch?: boolean;
  readonly accessLog?: boolean;
  readonly env?: readonly string[];
  readonly allowPickle?: readonly string[];
}

/** `slipway serve [DIR]`. */
export const define: CommandModule["define"] = (command, { session }) => {
  defineGraphOptions(command)
    .argument("[folder]", "the project, or a folder of models", ".")
    .option("--code <file:class>", "the user class, such as Model.py:Model")
    .option("--model <path>", "the model file or folder")
    .option("--service-type <type>", "MODEL, ROUTER, TRANSFORMER, COMBINER or OUTLIER_DETECTOR")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option(
      "--http-port <number>",
      "port of REST; 0 takes one that is free (default: the contract's, 9000 for seldon)",
      portOf,
    )
    .option("--grpc-port <number>", "port of gRPC (default: the contract's)", portOf)
    .option("--metrics-port <number>", "port of the metrics page (default: the contract's)", portOf)
    .addOption(
      new Option("--api-type <type>", "what is served beside health checks; rest leaves gRPC out")
        .choices(["rest", "grpc", "both"])
        .default("both"),
    )
    .option("--workers <number>", "worker processes", countOf)
    .option("--threads <number>", "calls of user code at the same time in one worker", countOf)
    .option(
      "--parameters <json>",
      'typed arguments of the class, such as [{"name":"n","value":"1","type":"INT"}]',
    )
    .option("--log-level <name>", "level of user code's logging, such as INFO")
    .option(
      "--python <path>",
      "interpreter (default: the folder's .venv, the active environment, python3)",
    )
    .option(
      "--allow-pickle <name>",
      "class or function, as MODULE.NAME, that pickles may import; may come more than once",
      collect,
    )
    .option("--watch", "load the code anew when it changes; what does not load changes nothing")
    .option("--access-log", "a line in the log for each request")
    .option("-e, --env <name=value>", "environment of the model; may come more than once", collect)
    .addHelpText(
      "after",
      "\nRuns until Ctrl-C. Nothing is packed: the folder is served as it lies. A folder whose folders each hold a model (model.py,\nmodel.onnx, metadata.json or slipway.yaml) is served whole, each model under the name of its folder.\n\nExample:\n  slipway serve ./iris\n  slipway serve . --code IrisClassifier.py:IrisClassifier --http-port 9000\n  slipway serve ./models\n  slipway serve --graph abtest.yaml --components components.json",
    )
    .action(async (folder: string, { watch, accessLog, env, graph, ...flags }: Flags) => {
      const request = {
        ...flags,
        folder,
        ports: portsFrom(flags),
        logsRequests: accessLog,
        env: environmentOf(env ?? [], session.environment),
      };
      if (graph === undefined) return serveFolder({ ...request, isWatched: watch }, session);
      checkGraphFlags({ ...flags, watch });
      return serveGraphFile({ ...request, graph }, session);
    });
};

function defineGraphOptions(command: Command): Command {
  return command
    .option("--graph <file>", "a SeldonDeployment, whose graph is run on this machine")
    .option(
      "--components <file>",
      "JSON or YAML: code of each node of the graph, as File.py:Class or the folder of a project",
    )
    .option("--predictor <name>", "predictor of the graph's file, where it has more than one");
}

/** Flags that speak of one model, and not of a graph. */
const MODEL_FLAGS = [
  ["code", "--code"],
  ["model", "--model"],
  ["serviceType", "--service-type"],
  ["parameters", "--parameters"],
  ["watch", "--watch"],
  ["grpcPort", "--grpc-port"],
] as const;

/** @throws ToolError `USAGE` for a flag that a graph has no use for */
function checkGraphFlags(flags: Partial<Record<(typeof MODEL_FLAGS)[number][0], unknown>>): void {
  const wrong = MODEL_FLAGS.find(([key]) => flags[key] !== undefined);
  if (wrong !== undefined)
    throw new ToolError("USAGE", `serve a graph: ${wrong[1]} is for a single model`, {
      hint: "say it of a node, in the graph's file or in that of --components",
    });
}

/** Ports that the command line names, for `serveModel`. */
export function portsFrom(flags: {
  readonly httpPort?: number;
  readonly grpcPort?: number;
  readonly metricsPort?: number;
}): Partial<Ports> {
  const { httpPort: http, grpcPort: grpc, metricsPort: metrics } = flags;
  return {
    ...(http === undefined ? {} : { http }),
    ...(grpc === undefined ? {} : { grpc }),
    ...(metrics === undefined ? {} : { metrics }),
  };
}
