import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Command } from "commander";
import { ToolError } from "../../ground/errors/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import { printProjectFile, PROJECT_FILE_NAME } from "../../models/description/index.ts";
import type { Context } from "../../app/context.ts";
import { loadProject } from "../../app/pack/project.ts";

/** `slipway init [DIR]`: writes what was found, so that it can be read and changed. */
export function define(command: Command, context: Context): void {
  command
    .argument("[folder]", "the project", ".")
    .option("--force", "replace a slipway.yaml that is there")
    .option("-b, --base <reference>", "base image to write down")
    .addHelpText("after", "\nExample:\n  slipway init ./iris --base store:pybase")
    .action(async (folder: string, flags: { readonly force?: boolean; readonly base?: string }) => {
      const { project } = await loadProject(folder, {}, { context });
      const path = join(project.root, PROJECT_FILE_NAME);
      if (flags.force !== true && (await stat(path).catch(() => undefined)) !== undefined) {
        throw new ToolError("USAGE", `init: "${path}" is there already`, {
          hint: "pass --force to replace it",
        });
      }
      const text = await printProjectFile({
        name: project.name,
        ...(project.modelPath === undefined
          ? {}
          : { model: relative(project.root, project.modelPath) || "." }),
        ...(project.code === undefined
          ? {}
          : { code: `${project.code.file}:${project.code.name}` }),
        service: project.service,
        contract: project.contract,
        ...(project.requirements.length === 0
          ? {}
          : { python: { requirements: project.requirements } }),
        ...(flags.base === undefined ? {} : { base: flags.base }),
      });
      await writeFileAtomic(path, text);
      context.reporter.line(`wrote ${path}`);
      context.reporter.result({ path, text });
    });
}
