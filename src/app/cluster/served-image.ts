import { ToolError } from "../../ground/errors/index.ts";
import { parseLocation } from "../../images/copy/index.ts";
import type { ImageConfig } from "../../images/oci/index.ts";
import type { ServedImage } from "../../jobs/kubernetes/index.ts";
import {
  CONTRACTS,
  MODEL_KINDS,
  type ModelKind,
  type Ports,
} from "../../models/description/index.ts";
import { modelOf } from "../shown/index.ts";
import { imagesUnder } from "../places/look.ts";
import { pinnedName } from "../shown/index.ts";
import { openForReading } from "../places/places.ts";
import type { Places } from "../session.ts";

/** An image of a registry, apart from what it serves. */
export interface FoundContent {
  /** By digest. */
  readonly reference: string;
  readonly config: ImageConfig;
  /** True when it runs our server. */
  readonly hasServer: boolean;
  /** A number; `undefined` where the config names none, or root. */
  readonly user: number | undefined;
  /** Last part of the repository's name. */
  readonly title: string;
}

/** An image with what its config says of its model. */
export interface FoundImage {
  readonly served: ServedImage;
  /** The model's name. */
  readonly name: string;
  /** A number; `undefined` where the config names none, or root. */
  readonly user: number | undefined;
}

/** Our server, and the one that is given its model when it starts. */
const SERVER = "/opt/slipway/server.mjs";
const BOOT = "/opt/slipway/boot.mjs";

/**
 * Reads an image's config and digest. No layer is read.
 * @throws ToolError `USAGE` for a name that no cluster can fetch; `REFERENCE_NOT_FOUND`, and what a registry throws.
 */
export async function findContent(name: string, session: Places): Promise<FoundContent> {
  if (parseLocation(name).kind !== "registry")
    throw new ToolError("USAGE", `run "${name}" on a cluster: nodes fetch from registries only`, {
      hint: "push it, and name it as the registry does: HOST/REPOSITORY:TAG",
    });
  await using place = await openForReading(name, session);
  const descriptor = await place.source.resolve(place.reference, session);
  const [first] = await imagesUnder(place.source, descriptor, session);
  if (first === undefined)
    throw new ToolError("USAGE", `run "${name}" on a cluster: there is no image under the name`);
  const { config } = first;
  return {
    config,
    reference: pinnedName(name, descriptor),
    hasServer: [SERVER, BOOT].some((entry) => config.config?.Entrypoint?.includes(entry) === true),
    user: userOf(config),
    title: place.reference.repository.split("/").at(-1) ?? "model",
  };
}

/**
 * Reads what a cluster must know of an image that serves.
 * @throws ToolError as `findContent`, and `USAGE` for an image without ports.
 */
export async function findServedImage(name: string, session: Places): Promise<FoundImage> {
  const { config, reference, hasServer, user, title } = await findContent(name, session);
  return {
    name: modelOf(config)?.name ?? title,
    user,
    served: {
      reference,
      hasServer,
      kinds: kindsOf(config),
      takesModel: config.config?.Entrypoint?.includes(BOOT) === true,
      contract: CONTRACTS.find((known) => known === contractWord(config)) ?? "seldon",
      ports: portsOf(config, name),
    },
  };
}

/** Kinds of the image's label; one word, or several with commas. */
function kindsOf(config: ImageConfig): readonly ModelKind[] {
  const words = config.config?.Labels?.["dev.slipway.kind"]?.split(",") ?? [];
  const known = MODEL_KINDS.filter((kind) => words.includes(kind));
  return known.length === 0 ? ["class"] : known;
}

const contractWord = (config: ImageConfig): string | undefined =>
  modelOf(config)?.contract ?? config.config?.Labels?.["dev.slipway.contract"];

/** Ports of the label, else the first one that the image exposes. */
function portsOf(config: ImageConfig, name: string): Ports {
  const { http, grpc, metrics } = modelOf(config)?.ports ?? {};
  const exposed = Object.keys(config.config?.ExposedPorts ?? {}).map((text) =>
    Number.parseInt(text, 10),
  );
  const first = http ?? exposed[0];
  if (!isPort(first))
    throw new ToolError("USAGE", `serve "${name}" on a cluster: the image exposes no port`, {
      hint: "pack it with slipway, or say EXPOSE in its Dockerfile",
    });
  return {
    http: first,
    ...(isPort(grpc) ? { grpc } : {}),
    ...(isPort(metrics) ? { metrics } : {}),
  };
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}

function userOf({ config }: ImageConfig): number | undefined {
  const [, user] = /^(\d{1,10})(?::|$)/.exec(config?.User ?? "") ?? [];
  return user === undefined || Number(user) === 0 ? undefined : Number(user);
}
