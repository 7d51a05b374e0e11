import type { Command } from "commander";
import type { Context } from "../../app/context.ts";
import { openStore } from "../../app/places/places.ts";
import { formatBytes } from "../../app/format.ts";

interface Flags {
  readonly dryRun?: boolean;
  readonly untagged?: boolean;
}

/** `slipway gc`. */
export function define(command: Command, context: Context): void {
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
    .action((flags: Flags) => collectGarbage(flags, context));
}

async function collectGarbage(flags: Flags, context: Context): Promise<void> {
  await using store = await openStore(context);
  const isDryRun = flags.dryRun === true;
  const result = await store.gc({
    dryRun: isDryRun,
    untagged: flags.untagged === true,
    signal: context.signal,
  });
  for (const name of result.broken)
    context.reporter.warn(
      `${name} points at a manifest that is not in the store; remove it with \`slipway rm\``,
    );
  const { removedBlobs, removedPlans, freedBytes, spared } = result;
  context.reporter.line(
    `${isDryRun ? "would free" : "freed"} ${formatBytes(freedBytes)}: ${removedBlobs} blobs, ${removedPlans} recipes`,
  );
  if (spared > 0)
    context.reporter.line(`${spared} more are unused but young: another process may be writing`);
  const untagged =
    flags.untagged === true
      ? 0
      : (await store.list({ signal: context.signal })).filter(
          ({ reference }) => reference.tag === undefined,
        ).length;
  if (untagged > 0)
    context.reporter.line(
      `${untagged} pushed manifests are kept by digest; \`slipway gc --untagged\` frees those that have no tag`,
    );
  context.reporter.result({ ...result, isDryRun });
}
