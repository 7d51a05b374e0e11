import { Option, type Command } from "commander";
import { packdocker, planPackdocker, type PackdockerRequest } from "../../app/index.ts";
import {
  BASE_SOURCES,
  strayFlagsOf,
  TEST_ENGINES,
  UAI_FRAMEWORKS,
  UAI_SERVERS,
  uaiFlagsOf,
  type UaiFlag,
  type UaiFramework,
} from "../../app/words/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { addCatalogueOption } from "../catalogue-flag.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";
import { collect, countOf, countOrNoneOf, oldFlagIn } from "../options.ts";
import { addReachFlags, withReachFlags, type ReachFlags } from "../registry-flags.ts";
import { reportPackdocker, reportPackdockerPlan } from "../render/packdocker.ts";

const GROUPS = {
  packed: "What is packed:",
  goes: "Where it goes:",
  reach: "How registries are reached:",
  stands: "What it stands on:",
  vendor: "The vendor's API, with --base-from vendor (else these are taken and used for nothing):",
  serves: "What answers in it:",
  first: "Before it goes:",
  python: "Python packages:",
  leaves: "What else is written:",
} as const;

/** What `packdocker` takes beside the old tool's flags. */
interface Flags extends ReachFlags {
  readonly passwordStdin?: boolean;
  readonly push?: boolean;
  readonly plan?: boolean;
  readonly dryRun?: boolean;
  readonly output?: readonly string[];
  readonly emitDockerfile?: string;
  readonly writeConf?: boolean;
  readonly platform?: string;
  readonly server?: PackdockerRequest["server"];
  readonly baseFrom?: PackdockerRequest["baseFrom"];
  readonly catalogue?: string;
  readonly vendorEndpoint?: string;
  readonly test?: readonly string[];
  readonly testEngine?: (typeof TEST_ENGINES)[number];
  readonly testTimeout?: number;
  readonly maxBatch?: number;
  readonly maxWaitMs?: number;
  readonly tf1Compat?: boolean;
  readonly allowPickle?: readonly string[];
  readonly allowMissingLibrary?: readonly string[];
  readonly apt?: readonly string[];
  readonly allowSecret?: readonly string[];
  readonly indexUrl?: string;
  readonly findLinks?: readonly string[];
}

/** `slipway packdocker MODE`. */
export const define: CommandModule["define"] = (command, cli) => {
  command
    .addHelpText(
      "after",
      "\nExample:\n  slipway packdocker keras --main_module mnist_inference --main_class MnistModel --model_dir checkpoint_dir --model_name mnist_model --pack_file_path mnist_keras --uhub_registry me --uhub_imagename keras-inference:test",
    )
    .action(() => {
      throw new ToolError("USAGE", "packdocker: it does not say what to pack", {
        hint: `write \`slipway packdocker MODE …\` with one of ${UAI_FRAMEWORKS.join(", ")}`,
      });
    });
  for (const framework of UAI_FRAMEWORKS) {
    const mode = command
      .command(framework)
      .description(
        framework === "self"
          ? "pack onto a base image of your own, with your own configuration"
          : `pack a class for ${framework} and its model files`,
      );
    // Groups are shown in the order of their first option.
    for (const heading of Object.values(GROUPS)) addGroup(mode, framework, heading);
    for (const { name } of strayFlagsOf(framework))
      for (const spelling of new Set([name, name.replaceAll("_", "-")]))
        mode.addOption(new Option(`--${spelling} <value>`).hideHelp());
    mode
      .addHelpText(
        "after",
        `\nEvery flag may be written with - for _; --json, --quiet and --plain-http work here too.\n\nExample:\n  ${exampleOf(framework)}`,
      )
      .action((flags: Flags) => make(framework, flags, withReachFlags(cli, flags)));
  }
};

async function make(framework: UaiFramework, flags: Flags, cli: Cli): Promise<void> {
  const request: PackdockerRequest = {
    framework,
    values: oldValuesOf(framework, { ...flags }),
    password: flags.passwordStdin === true ? await cli.readSecret() : undefined,
    isPush: flags.push,
    outputs: flags.output,
    dockerfile: flags.emitDockerfile,
    hasConfWritten: flags.writeConf,
    platform: flags.platform,
    server: flags.server,
    baseFrom: flags.baseFrom,
    catalogue: flags.catalogue,
    vendorEndpoint: flags.vendorEndpoint,
    test:
      flags.test === undefined
        ? undefined
        : {
            files: flags.test,
            engine: flags.testEngine,
            timeoutMs: flags.testTimeout === undefined ? undefined : flags.testTimeout * 1000,
          },
    maxBatch: flags.maxBatch,
    maxWaitMs: flags.maxWaitMs,
    isTf1: flags.tf1Compat,
    allowPickle: flags.allowPickle,
    allowMissingLibraries: flags.allowMissingLibrary,
    apt: flags.apt,
    allowSecrets: flags.allowSecret,
    indexUrl: flags.indexUrl,
    findLinks: flags.findLinks,
  };
  if (flags.plan === true || flags.dryRun === true)
    return reportPackdockerPlan(
      cli.reporter,
      await planPackdocker({ ...request, isKept: flags.dryRun !== true }, cli.session),
    );
  reportPackdocker(cli.reporter, framework, await packdocker(request, cli.session));
}

/** The old flags' values, whichever way each was written. */
function oldValuesOf(
  framework: UaiFramework,
  flags: Readonly<Record<string, unknown>>,
): PackdockerRequest["values"] {
  return Object.fromEntries(
    [...uaiFlagsOf(framework), ...strayFlagsOf(framework)].map(({ name }) => [
      name,
      oldFlagIn(flags, name),
    ]),
  );
}

function addGroup(mode: Command, framework: UaiFramework, heading: string): void {
  mode.optionsGroup(heading);
  const flags = uaiFlagsOf(framework).filter(({ group }) => GROUPS[group] === heading);
  for (const flag of [
    ...flags.filter(({ isRequired }) => isRequired),
    ...flags.filter(({ isRequired }) => !isRequired),
  ])
    addOldFlag(mode, flag);
  OWN_OPTIONS[heading]?.(mode, framework);
}

function addOldFlag(mode: Command, { name, help, isRequired, choices }: UaiFlag): void {
  mode.addOption(
    new Option(
      `--${name} <${choices?.join("|") ?? "value"}>`,
      isRequired ? `${help} (required)` : help,
    ),
  );
  if (name.includes("_"))
    mode.addOption(new Option(`--${name.replaceAll("_", "-")} <value>`).hideHelp());
}

/** What the old tool did not have, by the group that it is shown in. */
const OWN_OPTIONS: Readonly<Record<string, (mode: Command, framework: UaiFramework) => void>> = {
  [GROUPS.packed]: (mode) =>
    void mode
      .option(
        "--allow-pickle <name>",
        "class or function, as MODULE.NAME, that pickles may import; may come more than once",
        collect,
      )
      .option(
        "--allow-secret <pattern>",
        "let files that match into the image though they look like secrets",
        collect,
      ),
  [GROUPS.goes]: (mode) =>
    void mode
      .option("--password-stdin", "read the registry's password from standard input")
      .option("--no-push", "make the image, keep it in the local store, push nothing")
      .option(
        "--output <type=path>",
        "write the image as well: oci, oci-archive, docker-archive, docker-daemon or podman; may come more than once",
        collect,
      ),
  [GROUPS.reach]: (mode) => void addReachFlags(mode, { sends: true, heading: GROUPS.reach }),
  [GROUPS.stands](mode, framework) {
    mode.option("--platform <os/arch>", "linux/amd64 (default) or linux/arm64");
    if (framework === "self") return;
    addCatalogueOption(mode);
    mode.addOption(
      new Option(
        "--base-from <where>",
        "what names the base without --bimg_name (default: catalogue)",
      ).choices(BASE_SOURCES),
    );
  },
  [GROUPS.vendor](mode, framework) {
    if (framework !== "self")
      mode.option(
        "--vendor-endpoint <url>",
        "its address (default: SLIPWAY_VENDOR_ENDPOINT, or https://api.ucloud.cn)",
      );
  },
  [GROUPS.serves]: (mode) =>
    void mode
      .addOption(
        new Option(
          "--server <name>",
          "the base's own gunicorn, or slipway's server (default: gunicorn where the base brings it)",
        ).choices(UAI_SERVERS),
      )
      .option("--max-batch <count>", "requests that may go into one execute (default: 32)", countOf)
      .option(
        "--max-wait-ms <ms>",
        "longest time that a request waits for company (default: 0)",
        countOrNoneOf,
      )
      .option("--tf1-compat", "let `import tensorflow` give the API of TensorFlow 1"),
  [GROUPS.first]: (mode) =>
    void mode
      .option("--plan", "show the layers and what a push would send, make no image")
      .option("--dry-run", "the same, and remember nothing of it")
      .option(
        "--test <file>",
        "start the packed server on this machine and post the file to /service; may come more than once",
        collect,
      )
      .addOption(
        new Option(
          "--test-engine <name>",
          "what runs it for --test; none is a plain process (default: the engine that answers, else none)",
        ).choices(TEST_ENGINES),
      )
      .option(
        "--test-timeout <seconds>",
        "how long the start and each answer may take (default: 120)",
        countOf,
      ),
  [GROUPS.python]: (mode) =>
    void mode
      .option("--index-url <url>", "Python package index")
      .option(
        "--allow-missing-library <name>",
        "shared library, such as libgomp.so.1, that Python packages may miss; may come more than once",
        collect,
      )
      .option(
        "--apt <packages>",
        "Debian packages for the image, with commas between them; the base must say what it has",
        (text: string) => text.split(",").filter(Boolean),
      )
      .option(
        "--find-links <place>",
        "folder or page with wheels; may come more than once",
        collect,
      ),
  [GROUPS.leaves]: (mode) =>
    void mode
      .option("--emit-dockerfile <file>", "write the Dockerfile that would make the like of it")
      .option("--write-conf", "write the configuration into the folder too, as the old tool did"),
};

function exampleOf(framework: UaiFramework): string {
  const words: readonly (readonly [string, string])[] = uaiFlagsOf(framework).flatMap(
    ({ name, isRequired }) => (isRequired ? [[name, EXAMPLES[name] ?? "…"]] : []),
  );
  return `slipway packdocker ${framework} ${words.map(([name, value]) => `--${name} ${value}`).join(" ")}`;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  uhub_registry: "me",
  uhub_imagename: "mnist:v1",
  pack_file_path: "./mnist",
  bimg_name: "store:pybase",
  conf_file: "my.conf",
  main_module: "mnist_inference",
  main_class: "MnistModel",
  model_dir: "checkpoint_dir",
  model_name: "mnist_model",
  num_epoch: "10",
};
