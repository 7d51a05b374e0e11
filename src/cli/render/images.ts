import type { ImageResult, ImagesResult } from "../../app/index.ts";
import { isPinnable, pinnedName } from "../../app/shown/index.ts";
import { conversionLine } from "./export.ts";
import { formatBytes, formatDuration } from "./format.ts";
import type { Reporter } from "./reporter.ts";

/** The closing lines of a pack, and the same as data. */
export function reportImages(reporter: Reporter, made: ImagesResult): void {
  const { images, names, descriptor, isPushed, tookMs } = made;
  const what = images.map(imageWords).join(", ");
  if (isPushed)
    reporter.line(
      `packed and pushed in ${formatDuration(tookMs)}: ${what}; ${formatBytes(made.bytesUploaded)} sent, ${formatBytes(made.bytesMounted)} mounted, ${formatBytes(made.bytesSkipped)} already there`,
    );
  else reporter.line(`packed in ${formatDuration(tookMs)}: ${what}`);
  if (made.conversion !== undefined) reporter.line(conversionLine(made.conversion));
  for (const name of names)
    reporter.line(
      isPushed || isPinnable(name) ? pinnedName(name, descriptor) : `${name} ${descriptor.digest}`,
    );
  reporter.result({
    names,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    isPushed,
    size: made.sizeBytes,
    images,
    bytesUploaded: made.bytesUploaded,
    bytesMounted: made.bytesMounted,
    bytesSkipped: made.bytesSkipped,
    ...(made.conversion !== undefined && { conversion: made.conversion }),
    seconds: Math.round(tookMs) / 1000,
  });
}

function imageWords({ platform, layers }: ImageResult): string {
  const size = layers.reduce((sum, layer) => sum + layer.size, 0);
  return `${platform.slice(platform.indexOf("/") + 1)} with ${layers.length} layers, ${formatBytes(size)}`;
}
