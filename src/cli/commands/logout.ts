import { logOut, registryHostOf } from "../../app/index.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";

/** `slipway logout HOST`. */
export const define: CommandModule["define"] = (command, cli) => {
  command
    .argument("[host]", "the registry", "docker.io")
    .addHelpText("after", "\nExample:\n  slipway logout registry.example.com")
    .action((host: string) => forget(registryHostOf(host), cli));
};

async function forget(host: string, { session, reporter }: Cli): Promise<void> {
  const place = await logOut(host, session);
  reporter.line(
    place === undefined
      ? `there was no credential for ${host}`
      : `forgot the credential for ${host}, which was in ${place.helper ?? place.file}`,
  );
  reporter.result({ host, isForgotten: place !== undefined, ...place });
}
