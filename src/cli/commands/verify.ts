import { verifyImage } from "../../app/index.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";
import { formatBytes, formatDuration } from "../render/format.ts";

/** `slipway verify IMAGE`. */
export const define: CommandModule["define"] = (command, cli) => {
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
      verify(image, flags.documents === true, await withRegistryFlags(cli, flags, [image])),
    );
};

async function verify(name: string, isShallow: boolean, { session, reporter }: Cli): Promise<void> {
  const { images, layers, bytesRead, digest, tookMs } = await verifyImage(
    { name, isShallow },
    session,
  );
  const what = `${count(images.length, "image")}, ${count(layers, "layer")}, ${formatBytes(bytesRead)} in ${formatDuration(tookMs)}`;
  reporter.line(isShallow ? `the documents are whole: ${what}` : `every digest is right: ${what}`);
  reporter.line(`${name} ${digest}`);
  reporter.result({
    name,
    digest,
    images,
    bytesRead,
    isShallow,
    seconds: Math.round(tookMs) / 1000,
  });
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
