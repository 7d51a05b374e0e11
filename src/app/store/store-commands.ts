import { flag, needed, negated, port, text } from "../options/kinds.ts";
import type { CommandSpec } from "../options/option.ts";
import type { GarbageRequest } from "./collect-garbage.ts";
import type { InspectRequest } from "./inspect.ts";
import type { RemoveOptions } from "./remove.ts";
import type { ServeStoreRequest } from "./serve-store.ts";

/** What to list. */
export interface ListWords {
  /** `store:NAME`, `HOST/REPOSITORY` or `HOST/`. Default: the whole store. */
  readonly name?: string | undefined;
}

/** `slipway ls [NAME]`. */
export const LIST_COMMAND: CommandSpec<ListWords> = {
  options: {
    name: text(
      "[name]",
      "store:NAME for the tags of one image of the store, HOST/REPOSITORY for those in a registry, HOST/ for a registry's repositories",
    ),
  },
  registry: { login: ({ name }) => [name] },
  examples: [
    "slipway ls",
    "slipway ls registry.example.com/team/iris",
    "slipway ls localhost:5000/",
  ],
};

/** What to show. */
export interface InspectWords extends InspectRequest {
  /** The bytes of the manifest or index, and nothing else. Default false. */
  readonly isRaw?: boolean | undefined;
}

/** `slipway inspect IMAGE`. */
export const INSPECT_COMMAND: CommandSpec<InspectWords> = {
  options: {
    name: needed(
      "<image or path>",
      "a model file or folder | store:NAME | HOST/REPOSITORY | oci:DIR | oci-archive:FILE | docker-archive:FILE | docker-daemon:REF | podman:REF",
    ),
    platform: text("--platform <os/arch>", "of a multi-platform image, this one only"),
    isRaw: flag("--raw", "print the bytes of the manifest or index"),
  },
  registry: { login: ({ name }) => [name] },
  notes: ["A path that exists is described as a model; store: or a host makes it an image."],
  examples: [
    "slipway inspect ./model.onnx",
    "slipway inspect store:iris",
    "slipway inspect registry.example.com/team/iris:v1 --platform linux/arm64",
    "slipway inspect store:iris --raw | sha256sum",
  ],
};

/** What to remove. */
export interface RemoveWords extends RemoveOptions {
  readonly names: readonly string[];
}

/** `slipway rm NAME...`. */
export const REMOVE_COMMAND: CommandSpec<RemoveWords> = {
  options: {
    names: {
      flags: [
        {
          form: "<names...>",
          help: "store:NAME[:TAG], or HOST/REPOSITORY with a tag or a digest",
          isRequired: true,
        },
      ],
      read: ([given = []]) => given,
    },
    isManifest: flag(
      "--manifest",
      "in a registry: remove the manifest that the tag points at, and so all its tags",
    ),
  },
  registry: { login: ({ names }) => names },
  notes: ["Content of the store goes with the next `slipway gc`."],
  examples: ["slipway rm store:iris:v1", "slipway rm registry.example.com/team/iris:v1 --manifest"],
};

/** `slipway gc`. */
export const GARBAGE_COMMAND: CommandSpec<GarbageRequest> = {
  options: {
    isDryRun: flag("--dry-run", "count what would go, and remove nothing"),
    isUntagged: flag(
      "--untagged",
      "also forget manifests that were pushed to `slipway registry` and lost their tag",
    ),
    isPruned: flag(
      "--environments",
      "also remove every Python environment of `slipway serve --install` that no server uses (default: those unused for 30 days)",
    ),
  },
  notes: ["Safe beside other slipway processes. Files of models are never touched."],
  examples: ["slipway gc --dry-run", "slipway gc --environments"],
};

/** The store as a registry, and what is said of it. */
export interface ServeStoreWords extends Pick<ServeStoreRequest, "isReadOnly" | "isFetching"> {
  readonly host: string;
  readonly port: number | undefined;
  /** A line for each request. Default false. */
  readonly isVerbose?: boolean | undefined;
}

/** `slipway registry`. */
export const SERVE_STORE_COMMAND: CommandSpec<ServeStoreWords> = {
  options: {
    port: port("--port <number>", "port to listen on; 0 takes one that is free", {
      byDefault: 5000,
    }),
    host: needed("--host <address>", "address to listen on", { byDefault: "127.0.0.1" }),
    isReadOnly: flag("--read-only", "refuse every push and delete"),
    isFetching: negated(
      "--no-fetch",
      "do not fetch base layers that were never downloaded from their own registry",
    ),
    isVerbose: flag("--verbose", "one line per request"),
  },
  registry: {},
  notes: ["Runs until Ctrl-C. Whoever reaches the port may read and write: there is no log-in."],
  examples: [
    "slipway registry --port 5000",
    "skopeo copy --src-tls-verify=false docker://localhost:5000/iris:v1 dir:iris",
  ],
};
