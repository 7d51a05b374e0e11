import { negated, flag, needed, text, texts } from "../options/kinds.ts";
import type { CommandSpec } from "../options/option.ts";
import { OUTPUTS, PLATFORMS } from "../options/shared.ts";
import type { BuildRequest } from "./build-dockerfile.ts";

/** What to build. */
export interface BuildWords extends BuildRequest {
  /** What COPY and ADD read, relative to the working folder. */
  readonly folder: string;
}

/** `slipway build [CONTEXT]`. */
export const BUILD_COMMAND: CommandSpec<BuildWords> = {
  options: {
    folder: needed("[context]", "folder that COPY and ADD read", { byDefault: "." }),
    names: texts(
      "-t, --tag <name>",
      "name of the image; may come more than once (default: store:build)",
    ),
    file: text(
      "-f, --file <dockerfile>",
      "the Dockerfile, or - for standard input (default: Dockerfile of the context)",
    ),
    buildArg: texts(
      "--build-arg <name=value>",
      "value of an ARG, or NAME for the value of the environment; may come more than once",
    ),
    label: texts("--label <name=value>", "label of the image; may come more than once"),
    iidfile: text("--iidfile <file>", "write the digest of the image to a file"),
    target: text("--target <stage>", "stage to build, by name (default: the last)"),
    platforms: PLATFORMS,
    secret: texts(
      "--secret <id=name,src=file>",
      "secret for steps that execute; may come more than once",
    ),
    builder: text(
      "--builder <name>",
      "who runs the steps that execute: buildah, buildx, docker or podman (default: the first that is there)",
    ),
    usesCache: negated("--no-cache", "run executing steps again that were run before"),
    isPush: flag("--push", "push to every name that is in a registry"),
    outputs: OUTPUTS,
  },
  needs: [
    {
      programs: ["buildah", "docker", "podman"],
      what: "runs the steps that execute; a Dockerfile without them does without",
    },
  ],
  registry: { sends: true, login: ({ names = [] }) => names },
  examples: [
    "slipway build -t registry.example.com/team/detect:v1 -f detect.Dockerfile . --push",
    "slipway build --target serve --build-arg VERSION=2 -t store:serve .",
  ],
};
