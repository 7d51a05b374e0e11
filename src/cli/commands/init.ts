import { initProject } from "../../app/index.ts";
import type { CommandModule } from "../command.ts";

/** `slipway init [DIR]`. */
export const define: CommandModule["define"] = (command, { session, reporter }) => {
  command
    .argument("[folder]", "the project", ".")
    .option("--force", "replace a slipway.yaml that is there")
    .option("-b, --base <reference>", "base image to write down")
    .addHelpText("after", "\nExample:\n  slipway init ./iris --base store:pybase")
    .action(async (folder: string, flags: { readonly force?: boolean; readonly base?: string }) => {
      const { path, text } = await initProject(
        { folder, isForced: flags.force, base: flags.base },
        session,
      );
      reporter.line(`wrote ${path}`);
      reporter.result({ path, text });
    });
};
