import { Option } from "commander";
import { run } from "../../app/index.ts";
import type { CommandModule } from "../command.ts";
import { collect, countOf, environmentOf } from "../options.ts";
import { addReachFlags, withReachFlags, type ReachFlags } from "../registry-flags.ts";
import { parseMount, parsePort } from "../run-words.ts";

interface Flags extends ReachFlags {
  readonly port?: readonly string[];
  readonly env?: readonly string[];
  readonly volume?: readonly string[];
  readonly gpus?: string;
  readonly engine?: "docker" | "podman";
  readonly detach?: boolean;
  readonly platform?: string;
  readonly pull?: boolean;
  readonly unpacked?: boolean;
  readonly timeout: number;
}

/** `slipway run IMAGE`. */
export const define: CommandModule["define"] = (command, cli) => {
  addReachFlags(command)
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
    .action(async (name: string, flags: Flags) => {
      const { session } = withReachFlags(cli, flags);
      await run(
        {
          name,
          ports: (flags.port ?? []).map(parsePort),
          env: environmentOf(flags.env ?? [], session.environment),
          mounts: (flags.volume ?? []).map((text) => parseMount(text, session.cwd)),
          gpus: flags.gpus,
          engine: flags.engine,
          isDetached: flags.detach,
          platform: flags.platform,
          isPull: flags.pull,
          isUnpacked: flags.unpacked,
          timeoutMs: flags.timeout * 1000,
        },
        session,
      );
    });
};
