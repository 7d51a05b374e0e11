import { makeDebianBase } from "../../app/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";
import { collectList } from "../options.ts";
import { formatBytes, formatDuration, formatTable, shortDigest } from "../render/format.ts";

interface Flags {
  readonly name: string;
  readonly include?: readonly string[];
  readonly arch?: readonly string[];
  readonly suite?: string;
  readonly mirror?: string;
  readonly snapshot?: string;
  readonly full?: boolean;
  readonly lock?: string;
}

/** `slipway base debian`. */
export const define: CommandModule["define"] = (command, cli) => {
  command
    .addHelpText("after", "\nExample:\n  slipway base debian --include python3 --name pybase")
    .action(() => {
      throw new ToolError("USAGE", "base: it does not say of what", {
        hint: "write `slipway base debian --name NAME`",
      });
    });
  command
    .command("debian")
    .description(
      "make a Debian image from packages, without root and without a container, and keep it in the local store",
    )
    .requiredOption("--name <name>", "its name in the store: NAME[:TAG]")
    .option(
      "--include <packages>",
      "packages on top of the minimal set, with commas between them; NAME or NAME=VERSION",
      collectList,
    )
    .option("--arch <names>", "amd64 (default), arm64, or both with a comma", collectList)
    .option("--suite <release>", "such as bookworm (default: this machine's own)")
    .option("--mirror <url>", "where packages come from (default: this machine's own)")
    .option(
      "--snapshot <time>",
      "state of the archive at a time, such as 20260101T000000Z, from snapshot.debian.org",
    )
    .option("--full", "a whole Debian with its scripts run, by mmdebstrap")
    .option(
      "--lock <file>",
      "use the exact packages of the file; it is written when it is not there",
    )
    .addHelpText(
      "after",
      "\nExample:\n  slipway base debian --include python3,libgomp1 --name pybase\n  slipway base debian --include python3 --arch amd64,arm64 --lock pybase.lock.json --name pybase:v2",
    )
    .action((flags: Flags) => makeBase(flags, cli));
};

async function makeBase(
  { arch, full, ...flags }: Flags,
  { session, reporter }: Cli,
): Promise<void> {
  const { images, descriptor, tookMs, name, pinnedName } = await makeDebianBase(
    { ...flags, architectures: arch, isFull: full },
    session,
  );
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
}
