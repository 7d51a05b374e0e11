import { ToolError } from "../../ground/errors/index.ts";
import { SERVING_KINDS, type Autoscaling, type ServingKind } from "../../jobs/kubernetes/index.ts";
import { KUBECTL } from "../options/needs.ts";
import { choice, flag, needed, parsed, text, texts } from "../options/kinds.ts";
import type { CommandSpec, Flag, Option, Options } from "../options/option.ts";
import { parseVariables } from "../options/values.ts";
import { POD_OPTIONS, wholeNumber } from "./pod-options.ts";
import type { ServeManifestRequest, SiblingRequest } from "./serve-manifest.ts";

/** How requests get to the pods, and how many there are. */
const TRAFFIC: Pick<
  Options<ServeManifestRequest>,
  | "replicas"
  | "autoscaling"
  | "canary"
  | "shadow"
  | "route"
  | "monitor"
  | "networkPolicy"
  | "hasNoEngine"
  | "storageUri"
> = {
  replicas: wholeNumber("--replicas <count>", "pods (default: 2)"),
  autoscaling: autoscalingOption(),
  canary: parsed(
    "--canary <image=percent>",
    "a second image with a share of the requests",
    (value) => parseSibling(value, "--canary"),
  ),
  shadow: parsed(
    "--shadow <image=percent>",
    "an image that gets copies of requests; needs --gateway",
    (value) => parseSibling(value, "--shadow"),
  ),
  route: routeOption(),
  monitor: choice("--monitor <object>", "have Prometheus' operator read the metrics", [
    "service",
    "pod",
  ]),
  networkPolicy: parsed(
    "--network-policy [namespaces]",
    "let in the own namespace and these, nobody else",
    (value) => ({ namespaces: value === "" ? [] : value.split(",") }),
  ),
  hasNoEngine: flag("--no-engine", "seldon: straight to the model, without the executor"),
  storageUri: text("--storage-uri <uri>", "inferenceservice: a model that a ServingRuntime serves"),
};

/** What a pod asks of its node, and how it starts and ends. */
const LIFE: Pick<
  Options<ServeManifestRequest>,
  | "cpus"
  | "memory"
  | "gpus"
  | "sharedMemory"
  | "weights"
  | "probesGrpc"
  | "startupS"
  | "requestS"
  | "settleS"
  | "drain"
> = {
  cpus: text("--cpus <quantity>", "such as 2 or 500m"),
  memory: text("--memory <quantity>", "such as 2Gi"),
  gpus: wholeNumber("--gpus <count>", "graphics cards of a pod"),
  sharedMemory: text("--shm <quantity>", "size of /dev/shm (default: the node's 64 MiB)"),
  weights: weightsOption(),
  probesGrpc: parsed("--probes <protocol>", "of probes", (value) => value === "grpc", {
    choices: ["http", "grpc"],
  }),
  startupS: wholeNumber("--startup <seconds>", "time that a start may take (default: 600)"),
  requestS: wholeNumber(
    "--timeout <seconds>",
    "time that a request may take when its pod ends (default: 60)",
  ),
  settleS: wholeNumber(
    "--settle <seconds>",
    "time until every node has forgotten a pod (default: 5)",
  ),
  drain: choice("--drain <how>", "wait for that in the pod, or in the server", ["sleep", "server"]),
};

/** `slipway manifest IMAGE|DIR`. */
export const SERVE_MANIFEST_COMMAND: CommandSpec<ServeManifestRequest> = {
  options: {
    target: needed("<image-or-folder>", "a pushed image, or a project whose image: was pushed"),
    kind: kindOption(),
    name: text("--name <name>", "of the objects (default: the model's)"),
    namespace: text("--namespace <name>", "where they go"),
    ...TRAFFIC,
    ...LIFE,
    ...POD_OPTIONS,
    annotations: {
      flags: [
        {
          form: "--annotation <key=value>",
          help: "of the first object; may come more than once",
          isRepeated: true,
        },
      ],
      read: ([given = []]) =>
        given.length === 0 ? undefined : parseVariables(given, "--annotation"),
    },
    assignments: texts("--set <path=value>", "any other field; KIND:PATH=VALUE of another object"),
    file: text("-f, --file <file>", "write the objects there"),
    helm: text("--helm <folder>", "write a small chart with values there"),
    isApplied: flag("--apply", "hand the objects to kubectl"),
    isCompared: flag("--diff", "say how they differ from those of the cluster"),
    cluster: text("--context <name>", "with --apply or --diff: kubectl's context"),
  },
  needs: [KUBECTL],
  notes: [
    "One object a document, in an order that never changes. What needs more than a plain cluster (--gateway, --monitor, --keda) is off.",
  ],
  examples: [
    "slipway manifest registry.example.com/team/iris:v1 --cpus 1 --memory 512Mi --apply",
    "slipway manifest ./iris --autoscale cpu=70 --min 2 --max 10 --cpus 1 --memory 1Gi --diff",
  ],
};

function kindOption(): Option<ServingKind> {
  const written = needed(
    "--kind <kind>",
    "deployment, seldon, inferenceservice or servingruntime",
    { byDefault: "deployment" },
  );
  return { ...written, read: (...given) => parseKind(written.read(...given)) };
}

function parseKind(text: string): ServingKind {
  const found = SERVING_KINDS.find((kind) => kind === text.toLowerCase());
  if (found !== undefined) return found;
  throw new ToolError("USAGE", `there is no kind "${text}"`, {
    hint: `it is one of ${SERVING_KINDS.join(", ")}`,
  });
}

/** `--autoscale` with what is said of it. */
function autoscalingOption(): Option<Autoscaling | undefined> {
  const min = wholeNumber("--min <count>", "with --autoscale: least pods (default: 2)");
  const max = wholeNumber("--max <count>", "with --autoscale: most pods (default: 10)");
  const flags: readonly Flag[] = [
    {
      form: "--autoscale <measure=target>",
      help: "cpu=PERCENT, inflight=REQUESTS or wait=SECONDS",
    },
    ...min.flags,
    ...max.flags,
    {
      form: "--keda [prometheus]",
      help: "with --autoscale: a ScaledObject, which asks this Prometheus",
    },
  ];
  return {
    flags,
    read([measures = [], least = [], most = [], keda = []], context) {
      const [measure, prometheus] = [measures.at(-1), keda.at(-1)];
      if (measure === undefined) {
        if ([least, most, keda].every((given) => given.length === 0)) return undefined;
        throw new ToolError("USAGE", "--min, --max and --keda are said of --autoscale", {
          hint: "write --autoscale cpu=70 --min 2 --max 10",
        });
      }
      return {
        ...parseMeasure(measure),
        min: min.read([least], context) ?? 2,
        max: max.read([most], context) ?? 10,
        ...(prometheus === undefined ? {} : { scaler: "keda" }),
        ...(prometheus === undefined || prometheus === "" ? {} : { prometheus }),
      };
    },
  };
}

function parseMeasure(text: string): Pick<Autoscaling, "by" | "target"> {
  const [, by, target] = /^(cpu|inflight|wait)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (by === undefined)
    throw new ToolError("USAGE", `--autoscale "${text}" says no measure`, {
      hint: "write cpu=70 (percent), inflight=4 (requests in a pod) or wait=0.2 (seconds)",
    });
  return { by: by as Autoscaling["by"], target: Number(target) }; // matched just now
}

/** `IMAGE=PERCENT`; without a number it is ten. */
function parseSibling(text: string, flag: string): SiblingRequest {
  const [, image = text, percent = "10"] = /^(.+)=(\d{1,3})%?$/s.exec(text) ?? [];
  if (Number(percent) <= 100) return { image, percent: Number(percent) };
  throw new ToolError("USAGE", `${flag} "${text}": there are no more than 100 percent`);
}

function routeOption(): Option<ServeManifestRequest["route"]> {
  return {
    flags: [
      {
        form: "--gateway <name>",
        help: "routes of this Gateway, as NAME or NAMESPACE/NAME",
      },
      { form: "--host <name>", help: "with --gateway: host of the routes", isRepeated: true },
    ],
    read([gateways = [], hosts = []]) {
      const gateway = gateways.at(-1);
      if (gateway !== undefined) return { gateway, hosts };
      if (hosts.length === 0) return undefined;
      throw new ToolError("USAGE", "--host: it is the name of a route, and needs --gateway");
    },
  };
}

function weightsOption(): Option<ServeManifestRequest["weights"]> {
  const way = choice("--weights <way>", "mount the weights image, or copy out of it", [
    "volume",
    "init",
  ]);
  return {
    flags: [
      ...way.flags,
      { form: "--weights-image <name>", help: "image with the model's files under /models" },
    ],
    read([ways = [], images = []], context) {
      const [chosen, image] = [way.read([ways], context), images.at(-1)];
      if (chosen === undefined && image === undefined) return undefined;
      if (image !== undefined) return { image, way: chosen ?? "volume" };
      throw new ToolError("USAGE", `--weights ${chosen}: it does not say where they are`, {
        hint: "pass --weights-image HOST/REPOSITORY:TAG, as `slipway pack --weights-image` pushed it",
      });
    },
  };
}
