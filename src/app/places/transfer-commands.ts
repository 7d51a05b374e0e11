import { flag, needed, text } from "../options/kinds.ts";
import type { CommandSpec } from "../options/option.ts";
import { IMAGE_HELP } from "../options/shared.ts";
import type { CopyRequest, PullRequest, PushRequest } from "./transfer.ts";

/** `slipway push NAME [TARGET]`. */
export const PUSH_COMMAND: CommandSpec<PushRequest> = {
  options: {
    name: needed(
      "<name>",
      "an image of the local store: the name it was packed with, or store:NAME",
    ),
    to: text("[target]", "where to; the name itself when it names a registry"),
  },
  registry: { sends: true, login: ({ name, to = name }) => [to] },
  examples: [
    "slipway push registry.example.com/team/iris:v1",
    "slipway push store:iris:v1 registry.example.com/team/iris:v1",
  ],
};

/** `slipway pull REF`. */
export const PULL_COMMAND: CommandSpec<PullRequest> = {
  options: {
    name: needed("<reference>", "HOST/REPOSITORY[:TAG|@DIGEST]"),
    platform: text("--platform <os/arch>", "of a multi-platform image, pull this one only"),
  },
  registry: { login: ({ name }) => [name] },
  examples: ["slipway pull registry.example.com/team/iris:v1 --platform linux/arm64"],
};

/** `slipway copy SOURCE TARGET`. */
export const COPY_COMMAND: CommandSpec<CopyRequest> = {
  options: {
    from: needed("<source>", IMAGE_HELP),
    to: needed("<target>", "the same, with a tag where the place has tags"),
    platform: text("--platform <os/arch>", "of a multi-platform image, copy this one only"),
    withReferrers: flag(
      "--referrers",
      "from a registry: also what refers to the image, such as signatures and bills of materials",
    ),
  },
  registry: { sends: true, login: ({ from, to }) => [from, to] },
  examples: [
    "slipway copy store:iris:v1 oci-archive:iris.tar",
    "slipway copy docker-daemon:old:1 registry.example.com/team/old:1",
  ],
};
