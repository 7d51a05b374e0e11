import { collectGarbage, removeImage } from "../../app/index.ts";
import type { Run } from "../cli.ts";
import { formatBytes } from "../render/format.ts";

/** `slipway rm`. */
export const remove: Run<"rm"> = async ({ names, ...options }, { session, reporter }) => {
  for (const name of names) {
    await removeImage(name, options, session);
    reporter.line(`removed ${name}`);
  }
  reporter.result({ removed: names });
};

/** `slipway gc`. */
export const collectUnused: Run<"gc"> = async (request, { session, reporter }) => {
  const { isDryRun = false } = request;
  const { untagged, ...result } = await collectGarbage(request, session);
  for (const name of result.broken)
    reporter.warn(
      `${name} points at a manifest that is not in the store; remove it with \`slipway rm\``,
    );
  const { removedBlobs, removedPlans, freedBytes, spared, removedEnvironments } = result;
  reporter.line(
    `${isDryRun ? "would free" : "freed"} ${formatBytes(freedBytes)}: ${removedBlobs} blobs, ${removedPlans} recipes`,
  );
  if (removedEnvironments > 0)
    reporter.line(
      `${isDryRun ? "would remove" : "removed"} ${removedEnvironments} Python environments of \`slipway serve --install\``,
    );
  if (spared > 0)
    reporter.line(`${spared} more are unused but young: another process may be writing`);
  if (untagged > 0)
    reporter.line(
      `${untagged} pushed manifests are kept by digest; \`slipway gc --untagged\` frees those that have no tag`,
    );
  reporter.result({ ...result, isDryRun });
};
