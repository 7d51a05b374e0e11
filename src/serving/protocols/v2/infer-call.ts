import type { NamedTensor, Parameters, ParameterValue } from "../../plane/index.ts";
import { requestInvalid } from "../request-errors.ts";

/** An output that a request asks for. */
export interface WantedOutput {
  readonly name: string;
  /** As raw bytes. Absent: what the whole request says. */
  readonly isBinary?: boolean | undefined;
  /** How many of the best classes are wanted in place of the tensor; 0 for the tensor. */
  readonly classes: number;
}

/** A request for an inference, read and checked as far as that goes without its model. */
export interface InferCall {
  readonly inputs: readonly NamedTensor[];
  /** Those of the model; what the protocol itself means by `parameters` is taken out. */
  readonly parameters?: Parameters;
  /** Absent: all. */
  readonly outputs?: readonly WantedOutput[];
  /** Outputs that do not say it themselves are wanted as raw bytes. */
  readonly isBinaryOut: boolean;
  readonly id?: string;
  /** Longest time until the answer, in ms. */
  readonly timeoutMs?: number;
  /** 1 is the most urgent; absent: what the request's header says. */
  readonly priority?: number;
}

/** Reads what a request says of outputs by its parameters. @throws InferenceError `REQUEST_INVALID` */
export function readWantedOutput(name: string, parameters: Parameters): WantedOutput {
  const { binary_data: isBinary, classification: classes = 0 } = parameters;
  if (isBinary !== undefined && typeof isBinary !== "boolean")
    throw requestInvalid(
      `binary_data of the output "${name}" is ${shown(isBinary)}, not a boolean`,
    );
  if (typeof classes !== "number" || !Number.isSafeInteger(classes) || classes < 0)
    throw requestInvalid(
      `classification of the output "${name}" is ${shown(classes)}, and a number of classes is wanted`,
    );
  return { name, isBinary, classes };
}

/** What the protocol itself means by parameters of a request; the rest is the model's. */
export interface RequestParameters {
  readonly parameters?: Parameters;
  readonly isBinaryOut: boolean;
  readonly timeoutMs?: number;
  readonly priority?: number;
}

/** Takes a request's own parameters apart from the model's. @throws InferenceError `REQUEST_INVALID` */
export function readRequestParameters(all: Parameters): RequestParameters {
  const { binary_data_output: isBinaryOut = false, timeout, priority, ...parameters } = all;
  if (typeof isBinaryOut !== "boolean")
    throw requestInvalid(`binary_data_output is ${shown(isBinaryOut)}, not a boolean`);
  checkWhole("priority", priority);
  checkWhole("timeout", timeout);
  const micros = Number(timeout ?? 0);
  return {
    isBinaryOut,
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...(micros > 0 && { timeoutMs: micros / 1000 }),
    ...(Number(priority ?? 0) > 0 && { priority: Number(priority) }),
  };
}

function checkWhole(name: string, value: ParameterValue | undefined): void {
  const isWhole =
    value === undefined || (typeof value === "number" && Number.isSafeInteger(value) && value >= 0);
  if (!isWhole)
    throw requestInvalid(`${name} is ${shown(value)}, and a whole number from 0 on is wanted`);
}

function shown(value: ParameterValue): string {
  return JSON.stringify(value).slice(0, 40);
}

/** Refuses the names of outputs that come twice. @throws InferenceError `REQUEST_INVALID` */
export function checkOutputs(outputs: readonly WantedOutput[]): void {
  const names = outputs.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw requestInvalid(`the output "${twice}" is asked for twice`);
}
