import { flag, needed, parsed } from "../options/kinds.ts";
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
  /** A command's words, a folder's path, or one image; default this machine. */
  readonly subject: readonly string[];
  /** A registry's host, to be asked too. */
  readonly registry?: string | undefined;
}

/** `slipway doctor [IMAGE]`. */
export const DOCTOR_COMMAND: CommandSpec<DoctorWords> = {
  options: {
    subject: {
      flags: [
        {
          form: "[image or command...]",
          help: "check this image instead: store:NAME, HOST/REPOSITORY, oci:DIR, …; or what a command needs of this machine, such as build; or where the packages of a folder come from: ./DIR",
        },
      ],
      read: ([given = []]) => given,
    },
    registry: parsed(
      "--registry <host>",
      "also ask this registry whether it answers and takes the credential",
      registryHostOf,
    ),
  },
  registry: {},
  notes: [
    "Ends well unless a check fails. A command's name comes before an image of that name, which store: makes clear.",
  ],
  examples: [
    "slipway doctor --registry registry.example.com",
    "slipway doctor store:iris",
    "slipway doctor train run",
    "slipway doctor ./iris",
  ],
};
