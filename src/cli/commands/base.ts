import { makeDebianBase } from "../../app/index.ts";
import type { Run } from "../cli.ts";
import { formatBytes, formatDuration, formatTable, shortDigest } from "../render/format.ts";

/** `slipway base debian`. */
export const makeDebian: Run<"base debian"> = async (request, { session, reporter }) => {
  const { images, descriptor, tookMs, name, pinnedName } = await makeDebianBase(request, session);
  const rows = images.map((image) => [
    image.platform,
    `${image.packages} packages`,
    `${image.layers} layer${image.layers === 1 ? "" : "s"}`,
    formatBytes(image.bytes),
    image.suite,
    `glibc ${image.glibc}`,
    image.python === undefined ? "" : `python ${image.python}`,
    shortDigest(image.digest),
  ]);
  for (const line of formatTable(rows)) reporter.line(line);
  reporter.line(`made in ${formatDuration(tookMs)}`);
  reporter.line(pinnedName);
  reporter.result({
    name,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    images,
    seconds: Math.round(tookMs) / 1000,
  });
};
