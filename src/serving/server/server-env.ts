import { ToolError } from "../../ground/errors/index.ts";
import type { ModelDescription, ServerSettings } from "../../models/description/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLES: readonly (readonly [name: string, key: keyof ServerSettings, least: number])[] = [
  ["SLIPWAY_WORKERS", "workers", 1],
  ["SLIPWAY_MAX_BATCH", "maxBatch", 1],
  ["SLIPWAY_MAX_WAIT_MS", "maxWaitMs", 0],
  ["SLIPWAY_PAD_VALUE", "padValue", -2147483648],
  ["SLIPWAY_MAX_BODY_BYTES", "maxBodyBytes", 1],
  ["SLIPWAY_TIMEOUT_MS", "timeoutMs", 1],
  ["SLIPWAY_MAX_QUEUE", "maxQueue", 0],
  ["SLIPWAY_WORKER_MEMORY_MIB", "workerMemoryMib", 16],
];

/** A description with the limits that the environment names put over its own. @throws ToolError `USAGE` */
export function applyServerEnv(description: ModelDescription, env: Environment): ModelDescription {
  const said = VARIABLES.flatMap(([name, key, least]) => {
    const text = env[name]?.trim() ?? "";
    if (text === "") return [];
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least)
      throw new ToolError("USAGE", `read the variable ${name}: "${text}" is not possible`, {
        hint: `give a whole number, ${least} or more`,
      });
    return [[key, value] as const];
  });
  return said.length === 0
    ? description
    : { ...description, server: { ...description.server, ...Object.fromEntries(said) } };
}

/** Whether the server has its page, as `SLIPWAY_PAGE` says it; nothing where it says nothing. */
export function pageSettingOf(env: Environment): { readonly page?: boolean } {
  const text = env["SLIPWAY_PAGE"]?.trim() ?? "";
  return text === "" ? {} : { page: /^(?:1|true|yes|on)$/i.test(text) };
}

/** Further names of a server on the loopback, as `SLIPWAY_ALLOWED_HOSTS` lists them with commas. */
export function allowedHostsOf(env: Environment): { readonly allowedHosts?: readonly string[] } {
  const names = (env["SLIPWAY_ALLOWED_HOSTS"] ?? "").split(",").map((name) => name.trim());
  const given = names.filter((name) => name !== "");
  return given.length === 0 ? {} : { allowedHosts: given };
}

/** The image that runs, as `SLIPWAY_IMAGE` names it by its digest; nothing where it says nothing. */
export function imageOf(env: Environment): { readonly image?: string } {
  const image = env["SLIPWAY_IMAGE"]?.trim() ?? "";
  return image === "" ? {} : { image };
}

/** Whether clients may load and unload models, as `SLIPWAY_MODEL_CONTROL` says it; nothing where it says nothing. */
export function controlOf(env: Environment): { readonly allowsControl?: boolean } {
  const text = env["SLIPWAY_MODEL_CONTROL"]?.trim() ?? "";
  return text === "" ? {} : { allowsControl: /^(?:1|true|yes|on)$/i.test(text) };
}

/** A time that a variable says, in ms; the default for one that is absent or no time. */
export function millisecondsIn(env: Environment, name: string, otherwise: number): number {
  const value = Number(env[name]?.trim() || Number.NaN);
  return Number.isInteger(value) && value >= 0 && value <= 86_400_000 ? value : otherwise;
}
