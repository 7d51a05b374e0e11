import type { Command } from "commander";
import type { Context } from "../../app/context.ts";
import { packProject, type PackFlags } from "../../app/pack/pack-project.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";

const collect = (value: string, previous: readonly string[] = []): readonly string[] => [
  ...previous,
  value,
];

/** `slipway pack [DIR]`. */
export function define(command: Command, context: Context): void {
  addRegistryFlags(command, { sends: true })
    .argument("[folder]", "the project", ".")
    .option(
      "-t, --tag <name>",
      "name of the image; may come more than once (default: image of slipway.yaml, else store:NAME)",
      collect,
    )
    .option(
      "-b, --base <reference>",
      "base image: HOST/REPOSITORY:TAG or store:NAME (default: base of slipway.yaml)",
    )
    .option("--push", "push to every name that is in a registry")
    .option(
      "--plan",
      "show the layers and what a push would send, keep what is made for the next pack, and stop",
    )
    .option("--dry-run", "as --plan, and keep nothing")
    .option(
      "-o, --output <type=path>",
      "also write oci=DIR, oci-archive=FILE, docker-archive=FILE, docker-daemon=NAME or podman=NAME",
      collect,
    )
    .option(
      "--platform <os/arch>",
      "linux/amd64 (default), linux/arm64, or both with a comma between them",
      collect,
    )
    .option("--code <file:class>", "the user class, such as Model.py:Model")
    .option("--model <path>", "the model file or folder")
    .option("--service-type <type>", "MODEL, ROUTER, TRANSFORMER, COMBINER or OUTLIER_DETECTOR")
    .option("-e, --env <name=value>", "environment of the image; may come more than once", collect)
    .option(
      "--allow-secret <pattern>",
      "let files that match into the image though they look like secrets",
      collect,
    )
    .option(
      "--allow-pickle <name>",
      "class or function, as MODULE.NAME, that pickles may import; may come more than once",
      collect,
    )
    .option(
      "--allow-missing-library <name>",
      "shared library, such as libgomp.so.1, that Python packages may miss; may come more than once",
      collect,
    )
    .option("--find-links <place>", "folder or page with wheels; may come more than once", collect)
    .option("--index-url <url>", "Python package index")
    .addHelpText(
      "after",
      "\nExample:\n  slipway pack ./iris --base store:pybase -t localhost:5000/iris:v1 --push\n  slipway pack . --plan\n  slipway pack . --output oci-archive=iris.tar",
    )
    .action(async (folder: string, flags: PackFlags & RegistryFlags) =>
      packProject(folder, flags, await withRegistryFlags(context, flags, flags.tag ?? [])),
    );
}
