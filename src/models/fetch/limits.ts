import { ToolError } from "../../ground/errors/index.ts";
import type { FetchEnvironment, FetchLimits } from "./contracts.ts";

const DEFAULT_LIMITS: FetchLimits = { maxBytes: 64 * 2 ** 30, maxFiles: 100_000 };

/** The bounds that `MODEL_MAX_BYTES` and `MODEL_MAX_FILES` say. @throws ToolError `USAGE` */
export function limitsIn(env: FetchEnvironment): FetchLimits {
  return {
    maxBytes: countIn(env, "MODEL_MAX_BYTES") ?? DEFAULT_LIMITS.maxBytes,
    maxFiles: countIn(env, "MODEL_MAX_FILES") ?? DEFAULT_LIMITS.maxFiles,
  };
}

function countIn(env: FetchEnvironment, name: string): number | undefined {
  const text = env[name]?.trim() ?? "";
  if (text === "") return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new ToolError("USAGE", `read the variable ${name}: "${text}" is not possible`, {
    hint: "give a whole number, 1 or more",
  });
}
