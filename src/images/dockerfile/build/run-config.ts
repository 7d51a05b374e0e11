import { posix } from "node:path";
import type { Healthcheck, RunConfig } from "../../oci/index.ts";
import { expandWords } from "../syntax/expand-words.ts";
import type {
  CommandInstruction,
  CommandLine,
  CopyInstruction,
  HealthcheckInstruction,
  LabelInstruction,
  ListInstruction,
  OnbuildInstruction,
  RunInstruction,
  Step,
  TextInstruction,
} from "../syntax/instruction.ts";
import { dockerfileError } from "../syntax/place.ts";
import { parsePorts } from "../syntax/ports.ts";
import { isStopSignal } from "../syntax/stop-signal.ts";
import { expandOrRefuse } from "./stage-graph.ts";

/** What a stage knows while its steps are gone through. */
export interface StageScope {
  readonly config: RunConfig;
  readonly author: string | undefined;
  /** Variables that steps see: the image's environment and the `ARG`s named so far. */
  readonly variables: ReadonlyMap<string, string>;
  /** True once the stage itself has said what its command is. */
  readonly hasCommand: boolean;
}

/** What `ARG` may take its value from. */
export interface ArgValues {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly globals: ReadonlyMap<string, string>;
  /** The file's escape character. */
  readonly escape: string;
}

const DEFAULT_SHELL = ["/bin/sh", "-c"];

/** Steps that change the config. `WORKDIR` makes a folder too, which is not done here. */
export type ConfigStep = Exclude<Step, CopyInstruction | RunInstruction>;

/**
 * The scope after a step that makes no files.
 * @throws ProjectError `DOCKERFILE_INVALID` with the step's place.
 * @see BuildKit, frontend/dockerfile/dockerfile2llb/convert.go
 */
export function applyConfigStep(
  scope: StageScope,
  step: ConfigStep,
  values: ArgValues,
): StageScope {
  const expand = (text: string): string =>
    expandOrRefuse(text, scope.variables, { place: step.place, escape: values.escape });
  if (step.kind === "ENV")
    return setEnv(
      scope,
      step.pairs.map(({ name, value }) => [expand(name), expand(value)]),
    );
  if (step.kind === "ARG")
    return step.args.reduce((before, arg) => setArg(before, arg, { ...values, step }), scope);
  if (step.kind === "MAINTAINER") return { ...scope, author: step.value };
  if ("command" in step) return setCommand(scope, step);
  return withFields(
    scope,
    "value" in step
      ? textField(step, scope, expand(step.value))
      : fieldsOf(step, scope, { ...values, expand }),
  );
}

/** A new entry point makes the base's arguments void. */
function setCommand(scope: StageScope, { kind, command }: CommandInstruction): StageScope {
  const words = commandWords(command, scope.config);
  if (kind === "CMD") return { ...withFields(scope, { Cmd: words }), hasCommand: true };
  return withFields(scope, { Entrypoint: words, ...(scope.hasCommand ? {} : { Cmd: [] }) });
}

function withFields(scope: StageScope, fields: RunConfig): StageScope {
  return { ...scope, config: { ...scope.config, ...fields } };
}

function textField(step: TextInstruction, { config }: StageScope, value: string): RunConfig {
  if (step.kind === "USER") return { User: value };
  return step.kind === "WORKDIR"
    ? { WorkingDir: posix.resolve("/", config.WorkingDir ?? "", value) }
    : { StopSignal: checkedSignal(value, step) };
}

type FieldStep = LabelInstruction | ListInstruction | HealthcheckInstruction | OnbuildInstruction;

/** Fields of the config that a step sets. */
function fieldsOf(
  step: FieldStep,
  scope: StageScope,
  { expand, escape }: ArgValues & { readonly expand: (text: string) => string },
): RunConfig {
  const { config } = scope;
  switch (step.kind) {
    case "LABEL":
      return { Labels: { ...config.Labels, ...expandedPairs(step, expand) } };
    case "EXPOSE":
      return { ExposedPorts: { ...config.ExposedPorts, ...ports(step, scope, escape) } };
    case "VOLUME":
      return { Volumes: { ...config.Volumes, ...volumes(step, expand) } };
    case "SHELL":
      return { Shell: step.values };
    case "HEALTHCHECK":
      return { Healthcheck: healthcheckOf(step) };
    case "ONBUILD":
      return { OnBuild: [...(config.OnBuild ?? []), step.trigger] };
  }
}

function expandedPairs(
  { pairs }: LabelInstruction,
  expand: (text: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(pairs.map(({ name, value }) => [expand(name), expand(value)]));
}

function setEnv(scope: StageScope, pairs: readonly (readonly [string, string])[]): StageScope {
  const variables = new Map(scope.variables);
  let env = scope.config.Env ?? [];
  for (const [name, value] of pairs) {
    variables.set(name, value);
    const at = env.findIndex((entry) => entry === name || entry.startsWith(`${name}=`));
    env = at < 0 ? [...env, `${name}=${value}`] : env.with(at, `${name}=${value}`);
  }
  return { ...scope, variables, config: { ...scope.config, Env: env } };
}

function setArg(
  scope: StageScope,
  { name, value }: { readonly name: string; readonly value: string | undefined },
  { buildArgs, globals, escape, step }: ArgValues & { readonly step: Step },
): StageScope {
  const given =
    buildArgs.get(name) ??
    (value === undefined
      ? globals.get(name)
      : expandOrRefuse(value, scope.variables, { place: step.place, escape }));
  if (given === undefined) return scope;
  return { ...scope, variables: new Map(scope.variables).set(name, given) };
}

function commandWords(command: CommandLine, { Shell = [] }: RunConfig): readonly string[] {
  if (command.kind === "words") return command.words;
  return [...(Shell.length > 0 ? Shell : DEFAULT_SHELL), command.line];
}

function checkedSignal(signal: string, step: Step): string {
  if (!isStopSignal(signal))
    throw dockerfileError(step.place, `STOPSIGNAL: invalid signal: ${signal}`, {
      hint: "write a name such as SIGTERM, or a number",
    });
  return signal;
}

function ports(
  step: ListInstruction,
  { variables }: StageScope,
  escape: string,
): NonNullable<RunConfig["ExposedPorts"]> {
  try {
    const words = step.values.flatMap((word) => expandWords(word, variables, { escape }));
    return Object.fromEntries(words.flatMap(parsePorts).map((port) => [port, {}]));
  } catch (error) {
    throw dockerfileError(step.place, `EXPOSE: ${(error as Error).message}`, { cause: error });
  }
}

function volumes(
  step: ListInstruction,
  expand: (text: string) => string,
): NonNullable<RunConfig["Volumes"]> {
  return Object.fromEntries(
    step.values.map((value) => {
      const path = expand(value);
      if (path === "")
        throw dockerfileError(step.place, "VOLUME: VOLUME specified can not be an empty string");
      return [path, {}];
    }),
  );
}

function healthcheckOf(step: HealthcheckInstruction): Healthcheck {
  const fields = {
    Interval: step.intervalNs,
    Timeout: step.timeoutNs,
    StartPeriod: step.startPeriodNs,
    StartInterval: step.startIntervalNs,
    Retries: step.retries,
  };
  const said = Object.entries(fields).filter(([, value]) => value !== 0);
  return { Test: step.test, ...Object.fromEntries(said) };
}
