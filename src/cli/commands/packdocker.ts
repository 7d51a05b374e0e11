import { Option, type Command } from "commander";
import { ToolError } from "../../errors/index.ts";
import { strayFlagsOf, UAI_FRAMEWORKS, uaiFlagsOf } from "../../uai/index.ts";
import type { Context } from "../context.ts";
import { collect, countOf, countOrNoneOf } from "../options.ts";
import type { PackdockerFlags } from "../packdocker-flags.ts";
import { UAI_SERVERS } from "../packdocker-server.ts";

export function define(command: Command, context: Context): void {
  command
    .addHelpText("after", "\nExample:\n  slipway packdocker keras --main_module mnist_inference --main_class MnistModel --model_dir checkpoint_dir --model_name mnist_model --pack_file_path mnist_keras --uhub_registry me --uhub_imagename keras-inference:test")
    .action(() => {
      throw new ToolError("USAGE", "packdocker: it does not say what to pack", { hint: `write \`slipway packdocker MODE …\` with one of ${UAI_FRAMEWORKS.join(", ")}` });
    });
  for (const framework of UAI_FRAMEWORKS) {
    const mode = command.command(framework).description(framework === "self" ? "pack onto a base image of your own, with your own configuration" : `pack a class for ${framework} and its model files`);
    for (const { name, help } of uaiFlagsOf(framework)) {
      mode.addOption(new Option(`--${name} <value>`, help));
      if (name.includes("_")) mode.addOption(new Option(`--${name.replaceAll("_", "-")} <value>`).hideHelp());
    }
    for (const { name } of strayFlagsOf(framework)) for (const spelling of new Set([name, name.replaceAll("_", "-")])) mode.addOption(new Option(`--${spelling} <value>`).hideHelp());
    addOwnOptions(mode)
      .addHelpText("after", `\nExample:\n  slipway packdocker ${framework} --pack_file_path ./code --uhub_registry me --uhub_imagename test:v1 …`)
      .action(async (flags: PackdockerFlags) => {
        const { packdocker } = await import("../packdocker.ts");
        await packdocker(framework, flags, context);
      });
  }
}

function addOwnOptions(mode: Command): Command {
  return mode
    .option("--password-stdin", "read the registry's password from standard input")
    .option("--no-push", "make the image, keep it in the local store, push nothing")
    .option("--plan", "show the layers and what a push would send, make no image")
    .option("--dry-run", "check everything and show the plan, write nothing")
    .option("--output <type=path>", "write the image as well: oci, oci-archive, docker-archive, docker-daemon or podman; may come more than once", collect)
    .option("--emit-dockerfile <file>", "write the Dockerfile that would make the like of it")
    .option("--write-conf", "write the configuration into the folder too, as the old tool did")
    .addOption(new Option("--server <name>", "what answers in the image: the base's own gunicorn, or slipway (default: gunicorn where the base brings it)").choices(UAI_SERVERS))
    .option("--platform <os/arch>", "linux/amd64 (default) or linux/arm64")
    .option("--max-batch <count>", "requests that may go into one execute (default: 32)", countOf)
    .option("--max-wait-ms <ms>", "longest time that a request waits for company (default: 0)", countOrNoneOf)
    .option("--tf1-compat", "let `import tensorflow` give the API of TensorFlow 1")
    .option("--allow-secret <pattern>", "let files that match into the image though they look like secrets", collect)
    .option("--index-url <url>", "Python package index")
    .option("--find-links <place>", "folder or page with wheels; may come more than once", collect);
}
