import type { Command } from "commander";
import { isToolError, ToolError, type ErrorCode } from "../../ground/errors/index.ts";
import { validateIndex, type Descriptor } from "../../images/oci/index.ts";
import type { Context } from "../../app/context.ts";
import { openForReading } from "../../app/places/places.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";
import { formatBytes, formatDuration, shortDigest } from "../../app/format.ts";

/** What speaks of the content, not of the way to it. */
const DIFFERENCES: ReadonlySet<ErrorCode> = new Set([
  "DIGEST_MISMATCH",
  "SIZE_MISMATCH",
  "BLOB_NOT_FOUND",
  "FILE_CHANGED",
]);

/** `slipway verify IMAGE`. */
export function define(command: Command, context: Context): void {
  addRegistryFlags(command)
    .argument(
      "<image>",
      "store:NAME | HOST/REPOSITORY | oci:DIR | oci-archive:FILE | docker-archive:FILE | docker-daemon:REF | podman:REF",
    )
    .option("--documents", "manifests and configs only: leave the layers unread")
    .addHelpText(
      "after",
      "\nReads every layer, and fails with the first difference.\n\nExample:\n  slipway verify store:iris\n  slipway verify registry.example.com/team/iris:v1",
    )
    .action(async (image: string, flags: RegistryFlags & { readonly documents?: boolean }) =>
      verify(image, flags.documents === true, await withRegistryFlags(context, flags, [image])),
    );
}

async function verify(name: string, isShallow: boolean, context: Context): Promise<void> {
  const startedAt = performance.now();
  await using place = await openForReading(name, context, { isStoreFirst: true });
  const target = await place.source.resolve(place.reference, context);
  let reading: number | undefined;
  const onLayer = ({ digest, size }: Descriptor, index: number): void => {
    reading = index + 1;
    context.reporter.step(`reading layer ${reading}: ${shortDigest(digest)}, ${formatBytes(size)}`);
  };
  const images = await validateIndex(place.source, target, {
    signal: context.signal,
    depth: isShallow ? "documents" : "all",
    onLayer,
  }).catch((error: unknown) => {
    throw reading === undefined || !isToolError(error) || !DIFFERENCES.has(error.code)
      ? error
      : inLayer(name, reading, error);
  });
  const bytesRead = images.reduce((sum, image) => sum + image.bytesRead, 0);
  const layers = images.reduce((sum, image) => sum + image.layers, 0);
  const tookMs = performance.now() - startedAt;
  const what = `${count(images.length, "image")}, ${count(layers, "layer")}, ${formatBytes(bytesRead)} in ${formatDuration(tookMs)}`;
  context.reporter.line(
    isShallow ? `the documents are whole: ${what}` : `every digest is right: ${what}`,
  );
  context.reporter.line(`${name} ${target.digest}`);
  context.reporter.result({
    name,
    digest: target.digest,
    images,
    bytesRead,
    isShallow,
    seconds: Math.round(tookMs) / 1000,
  });
}

/** The first difference, by the layer that it is in: digests alone say little to people. */
function inLayer(name: string, layer: number, error: ToolError): ToolError {
  const { code, message, hint } = error;
  return new ToolError(code, `verify "${name}": layer ${layer} differs: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
