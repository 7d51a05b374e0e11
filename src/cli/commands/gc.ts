import { collectGarbage } from "../../app/index.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";
import { formatBytes } from "../render/format.ts";

interface Flags {
  readonly dryRun?: boolean;
  readonly untagged?: boolean;
}

/** `slipway gc`. */
export const define: CommandModule["define"] = (command, cli) => {
  command
    .option("--dry-run", "count what would go, and remove nothing")
    .option(
      "--untagged",
      "also forget manifests that were pushed to `slipway registry` and lost their tag",
    )
    .addHelpText(
      "after",
      "\nSafe beside other slipway processes. Files of models are never touched.\n\nExample:\n  slipway gc --dry-run",
    )
    .action((flags: Flags) => collect(flags, cli));
};

async function collect(flags: Flags, { session, reporter }: Cli): Promise<void> {
  const isDryRun = flags.dryRun === true;
  const { untagged, ...result } = await collectGarbage(
    { isDryRun, isUntagged: flags.untagged },
    session,
  );
  for (const name of result.broken)
    reporter.warn(
      `${name} points at a manifest that is not in the store; remove it with \`slipway rm\``,
    );
  const { removedBlobs, removedPlans, freedBytes, spared } = result;
  reporter.line(
    `${isDryRun ? "would free" : "freed"} ${formatBytes(freedBytes)}: ${removedBlobs} blobs, ${removedPlans} recipes`,
  );
  if (spared > 0)
    reporter.line(`${spared} more are unused but young: another process may be writing`);
  if (untagged > 0)
    reporter.line(
      `${untagged} pushed manifests are kept by digest; \`slipway gc --untagged\` frees those that have no tag`,
    );
  reporter.result({ ...result, isDryRun });
}
