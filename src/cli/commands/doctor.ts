import type { Command } from "commander";
import { checkImage } from "../../app/check/check-image.ts";
import { checkMachine } from "../../app/check/check-machine.ts";
import { reportChecks } from "../../app/check/checks.ts";
import type { Context } from "../../app/context.ts";
import { registryHostOf } from "../../app/places/registry-host.ts";

interface Flags {
  readonly registry?: string;
}

/** `slipway doctor [IMAGE]`. */
export function define(command: Command, context: Context): void {
  command
    .argument("[image]", "check this image instead: store:NAME, HOST/REPOSITORY, oci:DIR, …")
    .option(
      "--registry <host>",
      "also ask this registry whether it answers and takes the credential",
    )
    .addHelpText(
      "after",
      "\nEnds well unless a check fails.\n\nExample:\n  slipway doctor --registry registry.example.com\n  slipway doctor store:iris",
    )
    .action((image: string | undefined, flags: Flags) => diagnose(image, flags, context));
}

async function diagnose(image: string | undefined, flags: Flags, context: Context): Promise<void> {
  const registry = flags.registry === undefined ? undefined : registryHostOf(flags.registry);
  if (image === undefined)
    return reportChecks(await checkMachine(registry, context), "this machine", context);
  reportChecks(await checkImage(image, context), `"${image}"`, context);
}
