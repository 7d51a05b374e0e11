import type { CopyResult, Moved } from "../../app/index.ts";
import { pinnedName } from "../../app/shown/index.ts";
import { formatBytes, formatDuration } from "./format.ts";
import type { Reporter } from "./reporter.ts";

/** The closing lines of everything that moves an image, and the same as data. */
export function reportMoved(
  reporter: Reporter,
  what: {
    readonly verb: string;
    readonly to: string;
    readonly moved: Moved;
    readonly startedAt: number;
  },
): void {
  const { descriptor, result } = what.moved;
  const tookMs = performance.now() - what.startedAt;
  if (result !== undefined) {
    reporter.line(
      `${what.verb} in ${formatDuration(tookMs)}: ${summaryOf(result, what.verb === "pulled" ? "fetched" : "sent")}`,
    );
  }
  reporter.line(pinnedName(what.to, descriptor));
  reporter.result({
    reference: pinnedName(what.to, descriptor),
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    ...(result === undefined
      ? {}
      : {
          bytesUploaded: result.bytesSent,
          bytesMounted: result.bytesMounted,
          bytesSkipped: result.bytesSkipped,
          blobsUploaded: result.blobsUploaded,
        }),
    seconds: Math.round(tookMs) / 1000,
  });
}

/** `4.9 KiB sent, 60.4 MiB mounted`; what did not happen is not mentioned. */
function summaryOf({ bytesSent, bytesMounted, bytesSkipped }: CopyResult, verb: string): string {
  const parts = [
    [bytesMounted, "mounted"],
    [bytesSkipped, "already there"],
  ] as const;
  return [
    `${formatBytes(bytesSent)} ${verb}`,
    ...parts.flatMap(([bytes, what]) => (bytes === 0 ? [] : [`${formatBytes(bytes)} ${what}`])),
  ].join(", ");
}
