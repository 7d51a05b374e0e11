import type { Command } from "commander";
import { buildDockerfile, type BuildFlags } from "../../app/build/build-dockerfile.ts";
import type { Context } from "../../app/context.ts";
import { collect } from "../../app/options.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";

/** `slipway build [CONTEXT]`. */
export function define(command: Command, context: Context): void {
  addRegistryFlags(command, { sends: true })
    .argument("[context]", "folder that COPY and ADD read", ".")
    .option(
      "-t, --tag <name>",
      "name of the image; may come more than once (default: store:build)",
      collect,
    )
    .option("-f, --file <dockerfile>", "the Dockerfile (default: Dockerfile of the context)")
    .option(
      "--build-arg <name=value>",
      "value of an ARG, or NAME for the value of the environment; may come more than once",
      collect,
    )
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
    .action(async (folder: string, flags: BuildFlags & RegistryFlags) =>
      buildDockerfile(folder, flags, await withRegistryFlags(context, flags, flags.tag ?? [])),
    );
}
