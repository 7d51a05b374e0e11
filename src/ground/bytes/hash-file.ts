import { stat } from "node:fs/promises";
import type { CallOptions } from "./bytes.ts";
import { guardOf, planOf } from "./content-plan.ts";
import { hashPlan } from "./open-plan.ts";

/**
 * Gives the sha256 of a file's bytes, in hex.
 * @throws ToolError `FILE_CHANGED` when it changes meanwhile, `FILE_REFUSED`; the system's error when there is no such file.
 */
export async function hashFile(path: string, options: CallOptions = {}): Promise<string> {
  const guard = guardOf(await stat(path, { bigint: true }));
  return hashPlan(planOf([{ kind: "file", path, guard }]), options);
}
