import { stripControls } from "../../ground/errors/index.ts";
import type { ImageConfig, TensorLabel } from "../../app/index.ts";
import { modelOf } from "../../app/shown/index.ts";

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
