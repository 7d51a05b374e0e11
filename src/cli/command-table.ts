import type { CommandModule } from "./command.ts";

/** One row of `slipway --help`; the module is loaded only when its command is called. */
export interface CommandRow {
  readonly name: string;
  readonly group: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** Every command, in the order that help shows them. */
export const COMMAND_TABLE: readonly CommandRow[] = [
  {
    name: "init",
    group: "Build",
    summary: "look at a folder and write slipway.yaml",
    load: () => import("./commands/init.ts"),
  },
  {
    name: "pack",
    group: "Build",
    summary: "make an image from a model folder",
    load: () => import("./commands/pack.ts"),
  },
  {
    name: "build",
    group: "Build",
    summary: "make an image from a Dockerfile, without a daemon",
    load: () => import("./commands/build.ts"),
  },
  {
    name: "packdocker",
    group: "Build",
    summary: "make an inference image with the flags of uai_tool.py",
    load: () => import("./commands/packdocker.ts"),
  },
  {
    name: "export",
    group: "Build",
    summary: "freeze a training checkpoint into one graph file",
    load: () => import("./commands/export.ts"),
  },
  {
    name: "base",
    group: "Build",
    summary: "make a Debian base image from packages",
    load: () => import("./commands/base.ts"),
  },

  {
    name: "train",
    group: "Train",
    summary: "pack, run and submit training code",
    load: () => import("./commands/train.ts"),
  },
  ...(["pytorch", "tf", "keras", "caffe", "mxnet", "self"] as const).map(
    (framework): CommandRow => ({
      name: framework,
      group: "Train",
      summary: `\`${framework} pack\`: the same as train pack --framework ${framework}`,
      load: async () => (await import("./commands/train-tool.ts")).trainTool(framework),
    }),
  ),

  {
    name: "push",
    group: "Move",
    summary: "copy an image from the local store to its registry",
    load: () => import("./commands/push.ts"),
  },
  {
    name: "pull",
    group: "Move",
    summary: "copy an image from a registry into the local store",
    load: () => import("./commands/pull.ts"),
  },
  {
    name: "copy",
    group: "Move",
    summary: "copy an image from anywhere to anywhere",
    load: () => import("./commands/copy.ts"),
  },
  {
    name: "login",
    group: "Move",
    summary: "check a registry credential and keep it where docker does",
    load: () => import("./commands/login.ts"),
  },
  {
    name: "logout",
    group: "Move",
    summary: "forget a registry credential",
    load: () => import("./commands/logout.ts"),
  },

  {
    name: "ls",
    group: "Look",
    summary: "list the images of the local store, or the tags of a repository",
    load: () => import("./commands/ls.ts"),
  },
  {
    name: "inspect",
    group: "Look",
    summary: "show an image: platforms, layers, config, model",
    load: () => import("./commands/inspect.ts"),
  },
  {
    name: "verify",
    group: "Look",
    summary: "derive every digest of an image again",
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "doctor",
    group: "Look",
    summary: "check this machine, or whether an image will run",
    load: () => import("./commands/doctor.ts"),
  },

  {
    name: "run",
    group: "Serve",
    summary: "run an image with docker or podman",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "serve",
    group: "Serve",
    summary: "serve a model folder on this machine",
    load: () => import("./commands/serve.ts"),
  },
  {
    name: "seldon-core-microservice",
    group: "Serve",
    summary: "serve a class of this folder, with the arguments of Seldon's program",
    load: () => import("./commands/seldon-core-microservice.ts"),
  },
  {
    name: "manifest",
    group: "Serve",
    summary: "write the objects that serve an image on Kubernetes, Seldon Core or KServe",
    load: () => import("./commands/manifest.ts"),
  },
  {
    name: "registry",
    group: "Serve",
    summary: "serve the local store as a registry on loopback",
    load: () => import("./commands/registry.ts"),
  },

  {
    name: "rm",
    group: "Tidy",
    summary: "remove a tag from the local store or a registry",
    load: () => import("./commands/rm.ts"),
  },
  {
    name: "gc",
    group: "Tidy",
    summary: "free what no tag in the local store needs",
    load: () => import("./commands/gc.ts"),
  },
  {
    name: "completion",
    group: "Tidy",
    summary: "print a completion script for bash, zsh or fish",
    load: () => import("./commands/completion.ts"),
  },
];
