import { CONTRACTS } from "../../models/description/index.ts";
import { choice, flag, names, needed, text, texts } from "../options/kinds.ts";
import type { CommandSpec, NoRequest } from "../options/option.ts";
import { RESOLVER } from "../options/needs.ts";
import { CODE, MODEL, OUTPUTS, PACKING, PLATFORMS, SERVICE_TYPE } from "../options/shared.ts";
import { parseVariables } from "../options/values.ts";
import type { InitRequest } from "./init.ts";
import type { DebianBaseRequest } from "./make-base.ts";
import type { PackAndDeliverRequest } from "./pack-project.ts";

const FOLDER = needed("[folder]", "the project", { byDefault: "." });

/** `slipway init [DIR]`. */
export const INIT_COMMAND: CommandSpec<InitRequest> = {
  options: {
    folder: FOLDER,
    isForced: flag("--force", "replace a slipway.yaml that is there"),
    base: text("-b, --base <reference>", "base image to write down"),
  },
  examples: ["slipway init ./iris --base store:pybase"],
};

/** What to pack, or only to plan. */
export interface PackWords extends PackAndDeliverRequest {
  /** Shows what would be made, and keeps it for the next pack. Default false. */
  readonly isPlan?: boolean | undefined;
  /** As `isPlan`, and keeps nothing. Default false. */
  readonly isDryRun?: boolean | undefined;
}

/** `slipway pack [DIR]`. */
export const PACK_COMMAND: CommandSpec<PackWords> = {
  options: {
    folder: FOLDER,
    names: texts(
      "-t, --tag <name>",
      "name of the image; may come more than once (default: image of slipway.yaml, else store:NAME)",
    ),
    base: text(
      "-b, --base <reference>",
      "base image: HOST/REPOSITORY:TAG or store:NAME (default: base of slipway.yaml)",
    ),
    isPush: flag("--push", "push to every name that is in a registry"),
    isPlan: flag(
      "--plan",
      "show the layers and what a push would send, keep what is made for the next pack, and stop",
    ),
    isDryRun: flag("--dry-run", "as --plan, and keep nothing"),
    outputs: OUTPUTS,
    platforms: PLATFORMS,
    code: CODE,
    model: MODEL,
    serviceType: SERVICE_TYPE,
    contract: choice("--contract <name>", "which clients and ports it is for", CONTRACTS),
    fetchedKinds: names(
      "--fetch <kinds>",
      "make an image without a model, which fetches one of these kinds when it starts, such as keras,onnx",
    ),
    optimize: choice(
      "--optimize <form>",
      "convert the model, compare the answers, and pack that: an ONNX model needs no Python",
      ["onnx"],
    ),
    isWeightsAlone: flag(
      "--weights-image",
      "make an image of the weights alone, below /models, for image volumes and KServe's oci://",
    ),
    env: {
      flags: [
        {
          form: "-e, --env <name=value>",
          help: "environment of the image; may come more than once",
          isRepeated: true,
        },
      ],
      read: ([given = []]) => parseVariables(given, "pack --env"),
    },
    allowSecrets: PACKING.allowSecrets(),
    allowPickle: PACKING.allowPickle(),
    allowMissingLibraries: PACKING.allowMissingLibraries(),
    isConverted: PACKING.isConverted(),
    findLinks: PACKING.findLinks(),
    indexUrl: PACKING.indexUrl(),
  },
  needs: [RESOLVER],
  registry: { sends: true, login: ({ names: tags = [] }) => tags },
  examples: [
    "slipway pack ./iris --base store:pybase -t localhost:5000/iris:v1 --push",
    "slipway pack . --plan",
    "slipway pack . --output oci-archive=iris.tar",
    "slipway pack --contract model-server --fetch keras --base store:pybase -t team/modelserver:v1",
  ],
};

/** `slipway base`. */
export const BASE_COMMAND: CommandSpec<NoRequest> = {
  options: {},
  examples: ["slipway base debian --include python3 --name pybase"],
  unfinished: {
    problem: "base: it does not say of what",
    hint: "write `slipway base debian --name NAME`",
  },
};

/** `slipway base debian`. */
export const DEBIAN_COMMAND: CommandSpec<DebianBaseRequest> = {
  options: {
    name: needed("--name <name>", "its name in the store: NAME[:TAG]"),
    include: names(
      "--include <packages>",
      "packages on top of the minimal set, with commas between them; NAME or NAME=VERSION",
    ),
    architectures: names("--arch <names>", "amd64 (default), arm64, or both with a comma"),
    suite: text("--suite <release>", "such as bookworm (default: this machine's own)"),
    mirror: text("--mirror <url>", "where packages come from (default: this machine's own)"),
    snapshot: text(
      "--snapshot <time>",
      "state of the archive at a time, such as 20260101T000000Z, from snapshot.debian.org",
    ),
    isFull: flag("--full", "a whole Debian with its scripts run, by mmdebstrap"),
    lock: text(
      "--lock <file>",
      "use the exact packages of the file; it is written when it is not there",
    ),
  },
  needs: [
    { programs: ["apt-get"], what: "chooses Debian packages", isRequired: true },
    { programs: ["dpkg-deb"], what: "unpacks Debian packages", isRequired: true },
    { programs: ["mmdebstrap"], what: "makes a whole Debian, for --full only" },
  ],
  examples: [
    "slipway base debian --include python3,libgomp1 --name pybase",
    "slipway base debian --include python3 --arch amd64,arm64 --lock pybase.lock.json --name pybase:v2",
  ],
};
