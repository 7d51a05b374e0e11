import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { parsePlan, PLAN_FILE_NAME, type TrainPlan } from "../../jobs/train/index.ts";
import type { Surroundings } from "../session.ts";

/**
 * The plan that `slipway train pack` left. @param file - default `slipway-train.json` of the working folder
 * @throws ToolError `PROJECT_NOT_FOUND` when there is none, `PROJECT_INVALID` when it is no plan
 */
export async function readPlan(
  file: string | undefined,
  { cwd }: Pick<Surroundings, "cwd">,
): Promise<TrainPlan> {
  const path = resolve(cwd, file ?? PLAN_FILE_NAME);
  return parsePlan(await readPlanText(path), path);
}

async function readPlanText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    const isMissing = code === "ENOENT";
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      isMissing
        ? `read "${path}": there is no such file`
        : `read "${path}": it cannot be read (${code})`,
      {
        cause: error,
        hint: isMissing
          ? "pack first with `slipway train pack`, or name its file with --plan"
          : "let this user read the file",
      },
    );
  }
}
