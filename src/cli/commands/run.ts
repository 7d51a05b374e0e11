import { Option, type Command } from "commander";
import type { Context } from "../../app/context.ts";
import { collect, countOf } from "../../app/options.ts";
import { runInEngine, type RunFlags } from "../../app/run/run-in-engine.ts";
import { openRunSource } from "../../app/run/run-source.ts";

/** `slipway run IMAGE`. */
export function define(command: Command, context: Context): void {
  command
    .argument(
      "<image>",
      "store:NAME | HOST/REPOSITORY | oci:DIR | oci-archive:FILE | docker-archive:FILE | docker-daemon:REF | podman:REF",
    )
    .option(
      "-p, --port <host:container>",
      "publish a port on 127.0.0.1; may come more than once (default: the one that answers HTTP)",
      collect,
    )
    .option(
      "-e, --env <name=value>",
      "environment; NAME alone hands on this shell's value",
      collect,
    )
    .option(
      "-v, --volume <source:target>",
      "mount a file or folder; :ro after it makes it read-only",
      collect,
    )
    .option("--gpus <which>", "graphics cards, such as all")
    .addOption(
      new Option(
        "--engine <name>",
        "use this engine (default: the one that answers, docker first)",
      ).choices(["docker", "podman"]),
    )
    .option("-d, --detach", "return when it is ready, and leave it running")
    .option("--platform <os/arch>", "of a multi-platform image, this one (default: this machine's)")
    .option("--pull", "ask the registry, though the store has an image of that name")
    .option(
      "--unpacked",
      "run it as a plain process of this machine, without an engine and without isolation",
    )
    .option("--timeout <seconds>", "how long it may take to be ready", countOf, 120)
    .addHelpText(
      "after",
      "\nShows what the image prints until Ctrl-C.\n\nExample:\n  slipway run store:iris\n  slipway run localhost:5000/iris:v1 -p 9000:9000 -e LOG_LEVEL=debug",
    )
    .action((image: string, flags: RunFlags) => run(image, flags, context));
}

async function run(name: string, flags: RunFlags, context: Context): Promise<void> {
  await using source = await openRunSource(
    name,
    { platform: flags.platform, isPull: flags.pull },
    context,
  );
  if (flags.unpacked === true) {
    const { runWithoutEngine } = await import("../../app/run/run-without-engine.ts");
    return await runWithoutEngine({ name, source, flags }, context);
  }
  return await runInEngine({ name, source, flags }, context);
}
