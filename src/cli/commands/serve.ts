import { once } from "node:events";
import { Option, type Command } from "commander";
import {
  applyLaunch,
  applyServerEnv,
  createLogger,
  parseObserveSettings,
  parseSeldonLaunch,
  readPod,
  serveModel,
  serveOptions,
  type RunningServer,
  type SeldonLaunch,
} from "../../serving/server/index.ts";
import type { ModelDescription } from "../../models/description/index.ts";
import type { Context } from "../../app/context.ts";
import { describeProject, portsFrom } from "../../app/run/describe-project.ts";
import { collect, countOf, environmentOf, portOf } from "../../app/options.ts";
import { loadProject } from "../../app/pack/project.ts";
import { sampleRequest } from "../../app/run/sample-request.ts";

interface Flags {
  readonly code?: string;
  readonly model?: string;
  readonly serviceType?: string;
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
export function define(command: Command, context: Context): void {
  command
    .argument("[folder]", "the project", ".")
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
      "\nRuns until Ctrl-C. Nothing is packed: the folder is served as it lies.\n\nExample:\n  slipway serve ./iris\n  slipway serve . --code IrisClassifier.py:IrisClassifier --http-port 9000",
    )
    .action((folder: string, flags: Flags) => serve(folder, flags, context));
}

async function serve(folder: string, flags: Flags, context: Context): Promise<void> {
  const { signal, reporter } = context;
  const { project } = await loadProject(
    folder,
    {
      code: flags.code,
      model: flags.model,
      serviceType: flags.serviceType,
      allowPickle: flags.allowPickle,
      env: environmentOf(flags.env ?? [], context.env),
    },
    { context },
  );
  const env = { ...context.env, ...project.env };
  const pod = await readPod(env);
  const launch = launchOf(flags, env);
  for (const note of launch.ignored) reporter.warn(`has no effect here: ${note}`);
  const described = applyLaunch(await describeProject(project, flags, context), launch);
  const description = pod.applyTo(applyServerEnv(served(described, flags, launch), env));
  reporter.step(`loading ${description.name}`);
  await using server = await serveModel(description, {
    ...serveOptions(launch),
    host: flags.host,
    ports: portsFrom(flags),
    ...pod.options,
    log: createLogger({ write: (line) => void process.stderr.write(line) }),
    env,
    observe: {
      ...parseObserveSettings(env, description.name),
      logsRequests: flags.accessLog === true,
    },
    watch: flags.watch === true,
    signal,
  });
  announce(server, {
    description,
    host: flags.host,
    scheme: pod.options.tls === undefined ? "http" : "https",
    context,
  });
  if (!signal.aborted) await once(signal, "abort");
  await server.stop();
}

/** Flags, and the variables of Seldon's wrapper; the class and its service type are the project's own. */
function launchOf(
  { workers, threads, parameters, logLevel }: Flags,
  env: Readonly<Record<string, string | undefined>>,
): SeldonLaunch {
  const said = Object.entries({ workers, threads, parameters, "log-level": logLevel });
  const argv = said.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  return parseSeldonLaunch(argv, { ...env, MODEL_NAME: undefined, SERVICE_TYPE: undefined });
}

/** The description without what is not to be served. */
function served(
  description: ModelDescription,
  { apiType }: Flags,
  { hasGrpc }: SeldonLaunch,
): ModelDescription {
  const { grpc, ...others } = description.ports;
  return (apiType === "rest" || !hasGrpc) && grpc !== undefined
    ? { ...description, ports: others }
    : description;
}

interface Announced {
  readonly description: ModelDescription;
  readonly host: string;
  readonly scheme: "http" | "https";
  readonly context: Context;
}

function announce(
  { ports }: RunningServer,
  { description, host, scheme, context }: Announced,
): void {
  const address = host === "0.0.0.0" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const url = `${scheme}://${address}:${ports.http}`;
  const example = sampleRequest(url, description);
  context.reporter.line(`ready at ${url}; try`);
  context.reporter.line(`  ${example}`);
  if (ports.grpc !== undefined) context.reporter.line(`gRPC at ${address}:${ports.grpc}`);
  context.reporter.result({ url, ports, example, model: description.name, kind: description.kind });
}
