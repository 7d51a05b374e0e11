import type { Command } from "commander";
import { logout } from "../../images/registry/index.ts";
import type { Context } from "../../app/context.ts";
import { registryHostOf } from "../../app/places/registry-host.ts";

/** `slipway logout HOST`. */
export function define(command: Command, context: Context): void {
  command
    .argument("[host]", "the registry", "docker.io")
    .addHelpText("after", "\nExample:\n  slipway logout registry.example.com")
    .action((host: string) => logOut(registryHostOf(host), context));
}

async function logOut(host: string, context: Context): Promise<void> {
  const place = await logout({ host, environment: context.env, signal: context.signal });
  context.reporter.line(
    place === undefined
      ? `there was no credential for ${host}`
      : `forgot the credential for ${host}, which was in ${place.helper ?? place.file}`,
  );
  context.reporter.result({ host, isForgotten: place !== undefined, ...place });
}
