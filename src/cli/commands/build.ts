import { buildDockerfile } from "../../app/index.ts";
import type { CommandModule } from "../command.ts";
import { collect } from "../options.ts";
import { readInput } from "../prompt.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";
import { reportImages } from "../render/images.ts";

interface Flags extends RegistryFlags {
  readonly tag?: readonly string[];
  readonly file?: string;
  readonly buildArg?: readonly string[];
  readonly label?: readonly string[];
  readonly iidfile?: string;
  readonly target?: string;
  readonly platform?: readonly string[];
  readonly secret?: readonly string[];
  readonly builder?: string;
  readonly cache?: boolean;
  readonly push?: boolean;
  readonly output?: readonly string[];
}

/** `slipway build [CONTEXT]`. */
export const define: CommandModule["define"] = (command, cli) => {
  addRegistryFlags(command, { sends: true })
    .argument("[context]", "folder that COPY and ADD read", ".")
    .option(
      "-t, --tag <name>",
      "name of the image; may come more than once (default: store:build)",
      collect,
    )
    .option(
      "-f, --file <dockerfile>",
      "the Dockerfile, or - for standard input (default: Dockerfile of the context)",
    )
    .option(
      "--build-arg <name=value>",
      "value of an ARG, or NAME for the value of the environment; may come more than once",
      collect,
    )
    .option("--label <name=value>", "label of the image; may come more than once", collect)
    .option("--iidfile <file>", "write the digest of the image to a file")
    .option("--target <stage>", "stage to build, by name (default: the last)")
    .option(
      "--platform <os/arch>",
      "linux/amd64 (default), linux/arm64, or both with a comma between them",
      collect,
    )
    .option(
      "--secret <id=name,src=file>",
      "secret for steps that execute; may come more than once",
      collect,
    )
    .option(
      "--builder <name>",
      "who runs the steps that execute: buildah, buildx, docker or podman (default: the first that is there)",
    )
    .option("--no-cache", "run executing steps again that were run before")
    .option("--push", "push to every name that is in a registry")
    .option(
      "-o, --output <type=path>",
      "also write oci=DIR, oci-archive=FILE, docker-archive=FILE, docker-daemon=NAME or podman=NAME",
      collect,
    )
    .addHelpText(
      "after",
      "\nExample:\n  slipway build -t registry.example.com/team/detect:v1 -f detect.Dockerfile . --push\n  slipway build --target serve --build-arg VERSION=2 -t store:serve .",
    )
    .action(async (folder: string, flags: Flags) => {
      const { session, reporter } = await withRegistryFlags(cli, flags, flags.tag ?? []);
      const { tag, platform, output, cache, push, ...same } = flags;
      const request = {
        ...same,
        text: flags.file === "-" ? await readInput(session) : undefined,
        names: tag,
        platforms: platform?.flatMap((text) => text.split(",")),
        outputs: output,
        usesCache: cache,
        isPush: push,
      };
      reportImages(reporter, await buildDockerfile(folder, request, session));
    });
};
