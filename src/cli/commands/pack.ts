import { setFlagsFromString } from "node:v8";
import { pack, planPack } from "../../app/index.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";
import { collect, variablesOf } from "../options.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";
import { reportImages } from "../render/images.ts";
import { planData, planLines } from "../render/plan.ts";

interface Flags extends RegistryFlags {
  readonly tag?: readonly string[];
  readonly base?: string;
  readonly push?: boolean;
  readonly plan?: boolean;
  readonly dryRun?: boolean;
  readonly output?: readonly string[];
  readonly platform?: readonly string[];
  readonly env?: readonly string[];
  readonly code?: string;
  readonly model?: string;
  readonly serviceType?: string;
  readonly allowMissingLibrary?: readonly string[];
  readonly allowSecret?: readonly string[];
  readonly allowPickle?: readonly string[];
  readonly findLinks?: readonly string[];
  readonly indexUrl?: string;
}

/** `slipway pack [DIR]`. */
export const define: CommandModule["define"] = (command, cli) => {
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
    .action(async (folder: string, flags: Flags) =>
      packFolder(folder, flags, await withRegistryFlags(cli, flags, flags.tag ?? [])),
    );
};

async function packFolder(folder: string, flags: Flags, { session, reporter }: Cli): Promise<void> {
  keepYoungGenerationSmall();
  const request = {
    folder,
    names: flags.tag,
    base: flags.base,
    isPush: flags.push,
    outputs: flags.output,
    platforms: flags.platform?.flatMap((text) => text.split(",")),
    env: variablesOf(flags.env ?? [], "pack --env"),
    code: flags.code,
    model: flags.model,
    serviceType: flags.serviceType,
    allowMissingLibraries: flags.allowMissingLibrary,
    allowSecrets: flags.allowSecret,
    allowPickle: flags.allowPickle,
    findLinks: flags.findLinks,
    indexUrl: flags.indexUrl,
  };
  if (flags.plan !== true && flags.dryRun !== true)
    return reportImages(reporter, await pack(request, session));
  const plan = await planPack({ ...request, isKept: flags.dryRun !== true }, session);
  for (const line of planLines(plan)) reporter.line(line);
  reporter.result(planData(plan));
}

/**
 * Packing passes many large buffers through, which are freed when the objects that hold them are. A young generation that has grown to
 * its 100 MB lets them pile up; kept as it is now, the whole takes half the memory in the same time.
 */
function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
