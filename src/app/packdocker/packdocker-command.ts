import {
  strayFlagsOf,
  UAI_FRAMEWORKS,
  uaiFlagsOf,
  type UaiFramework,
} from "../../jobs/uai/index.ts";
import { CATALOGUE_NOTE, catalogueOption } from "../options/catalogue-option.ts";
import {
  always,
  choice,
  count,
  countOrNone,
  flag,
  oldFlag,
  text,
  texts,
  valuesByName,
} from "../options/kinds.ts";
import { ENGINE_NEED, RESOLVER } from "../options/needs.ts";
import type { CommandSpec, NoRequest, Flag, Option, Options } from "../options/option.ts";
import { oldToolOptions, type OldToolWords } from "../options/old-tool-options.ts";
import { PACKING } from "../options/shared.ts";
import { parseCount } from "../options/values.ts";
import { BASE_SOURCES, TEST_ENGINES, UAI_SERVERS } from "./packdocker-choices.ts";
import type { PackdockerRequest, TestRequest } from "./packdocker-request.ts";

/** An inference image to make, or only to plan. */
export interface PackdockerWords extends OldToolWords, Omit<PackdockerRequest, "password"> {
  /** Shows what would be made. A dry run does so too, and remembers nothing of it. Default false. */
  readonly isPlan?: boolean | undefined;
}

const TITLES = {
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

/** `slipway packdocker`. */
export const PACKDOCKER_COMMAND: CommandSpec<NoRequest> = {
  options: {},
  examples: [
    "slipway packdocker keras --main_module mnist_inference --main_class MnistModel --model_dir checkpoint_dir --model_name mnist_model --pack_file_path mnist_keras --uhub_registry me --uhub_imagename keras-inference:test",
  ],
  unfinished: {
    problem: "packdocker: it does not say what to pack",
    hint: `write \`slipway packdocker MODE …\` with one of ${UAI_FRAMEWORKS.join(", ")}`,
  },
};

/** `slipway packdocker MODE`. */
export function packdockerModeCommand(framework: UaiFramework): CommandSpec<PackdockerWords> {
  const isNamed = framework !== "self";
  return {
    options: {
      framework: always(framework),
      values: valuesByName(oldFlagsOf(framework)),
      ...oldToolOptions({
        push: "make the image, keep it in the local store, push nothing",
        apt: "Debian packages for the image, with commas between them; the base must say what it has",
        dryRun: "the same as --plan, and remember nothing of it",
        headings: TITLES,
      }),
      ...packingOptions(),
      ...(isNamed && baseOptions()),
      ...servingOptions(),
      test: testOption(),
    },
    needs: [
      RESOLVER,
      { ...ENGINE_NEED, what: "tries the image, for --test; a plain process does without" },
    ],
    registry: { sends: true, heading: TITLES.reach },
    headings: Object.values(TITLES),
    notes: [
      ...(isNamed ? [CATALOGUE_NOTE] : []),
      "Every flag may be written with - for _; --json, --quiet and --plain-http work here too.",
    ],
    examples: [exampleOf(framework)],
  };
}

/** The old tool's flags, the required ones first; those of other frameworks are taken and not shown. */
function oldFlagsOf(framework: UaiFramework): readonly Flag[] {
  const own = uaiFlagsOf(framework);
  return [
    ...[...own.filter(({ isRequired }) => isRequired), ...own.filter((one) => !one.isRequired)].map(
      ({ name, group, help, isRequired, choices }) =>
        oldFlag(name, isRequired ? `${help} (required)` : help, {
          value: choices?.join("|") ?? "value",
          heading: TITLES[group],
        }),
    ),
    ...strayFlagsOf(framework).map(({ name }) => oldFlag(name, "", { isHidden: true })),
  ];
}

/** What goes in, where it goes, and what is written beside it. */
function packingOptions(): Pick<
  Options<PackdockerWords>,
  "allowPickle" | "outputs" | "dockerfile" | "hasConfWritten"
> {
  const goes = { heading: TITLES.goes };
  const leaves = { heading: TITLES.leaves };
  return {
    allowPickle: PACKING.allowPickle(TITLES.packed),
    outputs: texts(
      "--output <type=path>",
      "write the image as well: oci, oci-archive, docker-archive, docker-daemon or podman; may come more than once",
      goes,
    ),
    dockerfile: text(
      "--emit-dockerfile <file>",
      "write the Dockerfile that would make the like of it",
      leaves,
    ),
    hasConfWritten: flag(
      "--write-conf",
      "write the configuration into the folder too, as the old tool did",
      leaves,
    ),
  };
}

/** What a base is known by, unless it is the user's own. */
function baseOptions(): Pick<
  Options<PackdockerWords>,
  "catalogue" | "baseFrom" | "vendorEndpoint"
> {
  return {
    catalogue: catalogueOption(TITLES.stands),
    baseFrom: choice(
      "--base-from <where>",
      "what names the base without --bimg_name: the catalogue (default), Debian packages of this machine's mirror, or the vendor's API",
      BASE_SOURCES,
      { heading: TITLES.stands },
    ),
    vendorEndpoint: text(
      "--vendor-endpoint <url>",
      "its address (default: SLIPWAY_VENDOR_ENDPOINT, or https://api.ucloud.cn)",
      { heading: TITLES.vendor },
    ),
  };
}

function servingOptions(): Pick<
  Options<PackdockerWords>,
  "server" | "maxBatch" | "maxWaitMs" | "isTf1" | "isPlan"
> {
  const serves = { heading: TITLES.serves };
  const first = { heading: TITLES.first };
  return {
    server: choice(
      "--server <name>",
      "the base's own gunicorn, or slipway's server (default: gunicorn where the base brings it)",
      UAI_SERVERS,
      serves,
    ),
    maxBatch: count(
      "--max-batch <count>",
      "requests that may go into one execute (default: 32)",
      serves,
    ),
    maxWaitMs: countOrNone(
      "--max-wait-ms <ms>",
      "longest time that a request waits for company (default: 0)",
      serves,
    ),
    isTf1: {
      flags: [
        {
          form: "--tf1-compat",
          help: "let `import tensorflow` give the API of TensorFlow 1 (default: where the code uses it)",
          ...serves,
        },
        { form: "--no-tf1-compat", help: "leave `import tensorflow` as it is", ...serves },
      ],
      read: ([wanted = [], unwanted = []]) =>
        unwanted.length > 0 ? false : wanted.length > 0 || undefined,
    },
    isPlan: flag("--plan", "show the layers and what a push would send, make no image", first),
  };
}

/** How the packed image is tried; absent without a file. */
function testOption(): Option<TestRequest | undefined> {
  const heading = TITLES.first;
  const engine = choice(
    "--test-engine <name>",
    "what runs it for --test; none is a plain process (default: the engine that answers, else none)",
    TEST_ENGINES,
    { heading },
  );
  return {
    flags: [
      {
        form: "--test <file>",
        help: "start the packed server on this machine and post the file to /service; may come more than once",
        isRepeated: true,
        heading,
      },
      ...engine.flags,
      {
        form: "--test-timeout <seconds>",
        help: "how long the start and each answer may take (default: 120)",
        heading,
      },
    ],
    read([files = [], engines = [], timeouts = []], context) {
      const seconds = timeouts.map(parseCount).at(-1);
      if (files.length === 0) return undefined;
      return {
        files,
        engine: engine.read([engines], context),
        timeoutMs: seconds === undefined ? undefined : seconds * 1000,
      };
    },
  };
}

function exampleOf(framework: UaiFramework): string {
  const words = uaiFlagsOf(framework).flatMap(({ name, isRequired }) =>
    isRequired ? [`--${name} ${EXAMPLES[name] ?? "…"}`] : [],
  );
  return `slipway packdocker ${framework} ${words.join(" ")}`;
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
