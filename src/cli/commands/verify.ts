import type { Command } from "commander";
import { validateIndex } from "../../oci/index.ts";
import type { Context } from "../context.ts";
import { openForReading } from "../places.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-access.ts";
import { formatBytes, formatDuration, shortDigest } from "../render/format.ts";

/** `slipway verify IMAGE`. */
export function define(command: Command, context: Context): void {
  addRegistryFlags(command)
    .argument("<image>", "store:NAME | HOST/REPOSITORY | oci:DIR | oci-archive:FILE | docker-archive:FILE | docker-daemon:REF | podman:REF")
    .option("--documents", "manifests and configs only: leave the layers unread")
    .addHelpText("after", "\nReads every layer, and fails with the first difference.\n\nExample:\n  slipway verify store:iris\n  slipway verify registry.example.com/team/iris:v1")
    .action(async (image: string, flags: RegistryFlags & { readonly documents?: boolean }) => verify(image, flags.documents === true, await withRegistryFlags(context, flags, [image])));
}

async function verify(name: string, isShallow: boolean, context: Context): Promise<void> {
  const startedAt = performance.now();
  await using place = await openForReading(name, context, { isStoreFirst: true });
  const target = await place.source.resolve(place.reference, context);
  const images = await validateIndex(place.source, target, {
    signal: context.signal,
    depth: isShallow ? "documents" : "all",
    onLayer: ({ digest, size }, index) => context.reporter.step(`reading layer ${index + 1}: ${shortDigest(digest)}, ${formatBytes(size)}`),
  });
  const bytesRead = images.reduce((sum, image) => sum + image.bytesRead, 0);
  const layers = images.reduce((sum, image) => sum + image.layers, 0);
  const tookMs = performance.now() - startedAt;
  const what = `${count(images.length, "image")}, ${count(layers, "layer")}, ${formatBytes(bytesRead)} in ${formatDuration(tookMs)}`;
  context.reporter.line(isShallow ? `the documents are whole: ${what}` : `every digest is right: ${what}`);
  context.reporter.line(`${name} ${target.digest}`);
  context.reporter.result({ name, digest: target.digest, images, bytesRead, isShallow, seconds: Math.round(tookMs) / 1000 });
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
