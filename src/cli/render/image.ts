import { stripControls } from "../../ground/errors/index.ts";
import type { ImageConfig } from "../../images/oci/index.ts";

/** What history says of each layer, in the layers' order. */
export function historyOf({ history = [] }: ImageConfig): readonly string[] {
  return history
    .filter((entry) => entry.empty_layer !== true)
    .map((entry) => stripControls(entry.created_by ?? entry.comment ?? "").slice(0, 120));
}

/** The facts of a config that decide how it runs, as lines. */
export function configLines({ created, config = {} }: ImageConfig): readonly string[] {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["created", created],
    ["user", config.User],
    ["folder", config.WorkingDir],
    ["entrypoint", wordsOf(config.Entrypoint)],
    ["command", wordsOf(config.Cmd)],
    ["ports", Object.keys(config.ExposedPorts ?? {}).join(" ")],
    ["health", wordsOf(config.Healthcheck?.Test)],
    ["stop signal", config.StopSignal],
  ];
  const lines = facts.flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [`  ${name.padEnd(12)}${stripControls(value)}`],
  );
  return [
    ...lines,
    ...(config.Env ?? []).map(
      (entry, index) => `  ${(index === 0 ? "environment" : "").padEnd(12)}${stripControls(entry)}`,
    ),
  ];
}

/** What the label of an image that this tool packed says of its model. */
export interface ModelLabel {
  readonly name?: string;
  readonly kind?: string;
  readonly contract?: string;
  readonly service?: string;
  readonly ports?: { readonly http?: number; readonly grpc?: number; readonly metrics?: number };
  readonly signature?: {
    readonly inputs?: readonly TensorLabel[];
    readonly outputs?: readonly TensorLabel[];
  };
}

interface TensorLabel {
  readonly name?: string;
  readonly datatype?: string;
  readonly shape?: readonly number[];
}

/** The model that an image's label describes, or `undefined`. A label that is no such description counts as none. */
export function modelOf(config: ImageConfig): ModelLabel | undefined {
  const text = config.config?.Labels?.["dev.slipway.model"];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // Labels are hints for people: every field is optional, and each is checked where it is shown.
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // not ours
  }
}

/** The model of a config as lines; none when it has none. */
export function modelLines(config: ImageConfig | undefined): readonly string[] {
  const model = config === undefined ? undefined : modelOf(config);
  if (model === undefined) return [];
  const about = [model.name, model.kind, model.service, model.contract]
    .filter((part) => typeof part === "string")
    .map(stripControls);
  return [
    `  ${"model".padEnd(12)}${about.join(", ")}`,
    ...tensorLines("inputs", model.signature?.inputs),
    ...tensorLines("outputs", model.signature?.outputs),
  ];
}

function tensorLines(
  title: string,
  tensors: readonly TensorLabel[] | undefined,
): readonly string[] {
  if (!Array.isArray(tensors)) return [];
  return tensors
    .slice(0, 50)
    .map(
      (tensor: TensorLabel, index) =>
        `  ${(index === 0 ? title : "").padEnd(12)}${stripControls(String(tensor?.name))} ${stripControls(String(tensor?.datatype))} ${shapeOf(tensor?.shape)}`,
    );
}

function shapeOf(shape: readonly number[] | undefined): string {
  return Array.isArray(shape)
    ? `[${shape.map((size) => (size === -1 ? "?" : Number(size))).join(", ")}]`
    : "";
}

function wordsOf(words: readonly string[] | undefined): string | undefined {
  return words === undefined || words.length === 0
    ? undefined
    : words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(" ");
}
