import { flag, needed, parsed, text } from "../options/kinds.ts";
import type { CommandSpec } from "../options/option.ts";
import { IMAGE_HELP } from "../options/shared.ts";
import { registryHostOf } from "../places/registry-host.ts";
import type { VerifyRequest } from "./verify.ts";

/** `slipway verify IMAGE`. */
export const VERIFY_COMMAND: CommandSpec<VerifyRequest> = {
  options: {
    name: needed("<image>", IMAGE_HELP),
    isShallow: flag("--documents", "manifests and configs only: leave the layers unread"),
  },
  registry: { login: ({ name }) => [name] },
  notes: ["Reads every layer, and fails with the first difference."],
  examples: ["slipway verify store:iris", "slipway verify registry.example.com/team/iris:v1"],
};

/** What to check. */
export interface DoctorWords {
  /** An image; default this machine. */
  readonly image?: string | undefined;
  /** A registry's host, to be asked too. */
  readonly registry?: string | undefined;
}

/** `slipway doctor [IMAGE]`. */
export const DOCTOR_COMMAND: CommandSpec<DoctorWords> = {
  options: {
    image: text("[image]", "check this image instead: store:NAME, HOST/REPOSITORY, oci:DIR, …"),
    registry: parsed(
      "--registry <host>",
      "also ask this registry whether it answers and takes the credential",
      registryHostOf,
    ),
  },
  registry: {},
  notes: ["Ends well unless a check fails."],
  examples: ["slipway doctor --registry registry.example.com", "slipway doctor store:iris"],
};
