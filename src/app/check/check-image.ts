import { parseLocation } from "../../images/copy/index.ts";
import { isToolError } from "../../ground/errors/index.ts";
import { formatPlatform, validateIndex, type ImageConfig } from "../../images/oci/index.ts";
import { baseChecks, contentChecks } from "./check-contents.ts";
import type { Check } from "./checks.ts";
import type { Places } from "../session.ts";
import { imagesUnder, totalSize, type SeenImage } from "../places/look.ts";
import { openForReading } from "../places/places.ts";
import { formatBytes } from "../format.ts";
import { modelOf } from "../shown/index.ts";
import { httpPortOf } from "../run/run-options.ts";
import { ownPlatform } from "../run/run-source.ts";

/** Overlay file systems of kernels and engines take no more. */
const MAX_LAYERS = 127;
const MANY_LAYERS = 100;

/** Looks at an image: is it whole, and will it run? Layers that a registry would have to send are not read. */
export async function checkImage(name: string, session: Places): Promise<readonly Check[]> {
  await using place = await openForReading(name, session, { isStoreFirst: true });
  const target = await place.source.resolve(place.reference, session);
  try {
    await validateIndex(place.source, target, { depth: "documents", signal: session.signal });
  } catch (error) {
    if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
    return [
      {
        name: "digests",
        status: "fail",
        detail: error.message,
        hint: "push or pull the image again",
        code: error.code,
      },
    ];
  }
  const images = await imagesUnder(place.source, target, session);
  const digests: Check = {
    name: "digests",
    status: "ok",
    detail: `${target.digest}: manifests and configs agree (\`slipway verify\` reads the layers too)`,
  };
  return [
    digests,
    checkPlatforms(images),
    { name: "size", status: "ok", detail: formatBytes(totalSize(images)) },
    ...(await checkEach(images, isRemote(name), session)),
  ];
}

function isRemote(name: string): boolean {
  return parseLocation(name).kind === "registry";
}

async function checkEach(
  images: readonly SeenImage[],
  isFar: boolean,
  session: Places,
): Promise<readonly Check[]> {
  const all: Check[] = [];
  for (const image of images)
    all.push(...(await checkOne(image, { isOneOfMany: images.length > 1, isFar, session })));
  return all;
}

function checkPlatforms(images: readonly SeenImage[]): Check {
  const own = ownPlatform();
  const detail = images.map(({ platform }) => formatPlatform(platform)).join(", ");
  if (images.length === 0)
    return { name: "platforms", status: "fail", detail: "it holds no image", code: "UNSUPPORTED" };
  if (
    images.some(
      ({ platform }) => platform.os === own.os && platform.architecture === own.architecture,
    )
  )
    return { name: "platforms", status: "ok", detail };
  return {
    name: "platforms",
    status: "warn",
    detail,
    hint: `nothing in it runs on this machine, which is ${formatPlatform(own)}`,
  };
}

interface CheckContext {
  readonly isOneOfMany: boolean;
  /** Its layers are in a registry. */
  readonly isFar: boolean;
  readonly session: Places;
}

async function checkOne(
  { config, manifest, platform, image }: SeenImage,
  { isOneOfMany, isFar, session }: CheckContext,
): Promise<readonly Check[]> {
  const files = isFar ? [] : await contentChecks(image, config, session).catch(damaged);
  const checks = [
    layersCheck(manifest.layers.length),
    ...configChecks(config),
    ...baseChecks(config, modelOf(config)?.kind),
    ...files,
  ];
  return isOneOfMany
    ? checks.map((check) => ({ ...check, name: `${check.name} (${formatPlatform(platform)})` }))
    : checks;
}

/** Content that cannot be read is what was asked about, not an end of the asking. */
function damaged(error: unknown): readonly Check[] {
  if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
  return [
    {
      name: "content",
      status: "fail",
      detail: error.message,
      hint: error.hint ?? "pack or pull the image again",
      code: error.code,
    },
  ];
}

/** @param count - layers of one image. */
export function layersCheck(count: number): Check {
  const name = "layers";
  if (count > MAX_LAYERS)
    return {
      name,
      status: "fail",
      detail: `${count}, and engines take ${MAX_LAYERS}`,
      hint: "choose a base with fewer layers",
      code: "LAYER_LIMIT",
    };
  if (count > MANY_LAYERS)
    return {
      name,
      status: "warn",
      detail: `${count} of ${MAX_LAYERS}`,
      hint: "there is little room for more; choose a base with fewer layers",
    };
  return { name, status: "ok", detail: `${count} of ${MAX_LAYERS}` };
}

/** What the config says of how the image runs. */
export function configChecks(config: ImageConfig): readonly Check[] {
  return [
    userCheck(config),
    commandCheck(config),
    portCheck(config),
    modelCheck(config),
    environmentCheck(config),
  ];
}

function userCheck({ config }: ImageConfig): Check {
  const user = config?.User ?? "";
  if (!/^(|0|root)(:|$)/.test(user)) return { name: "user", status: "ok", detail: user };
  return {
    name: "user",
    status: "warn",
    detail: user === "" ? "none named, so root" : user,
    hint: "clusters often refuse images that run as root",
  };
}

function commandCheck({ config }: ImageConfig): Check {
  const words = [...(config?.Entrypoint ?? []), ...(config?.Cmd ?? [])];
  const [program = ""] = words;
  if (words.length === 0)
    return {
      name: "entrypoint",
      status: "warn",
      detail: "neither entry point nor command",
      hint: "it is a base: nothing starts unless the command is given",
    };
  if (/(^|\/)(ba|da|a)?sh$/.test(program) && words[1] === "-c")
    return {
      name: "entrypoint",
      status: "warn",
      detail: words.join(" "),
      hint: "a shell hides the signal that asks the service to end",
    };
  return { name: "entrypoint", status: "ok", detail: words.join(" ") };
}

function portCheck(config: ImageConfig): Check {
  const ports = Object.keys(config.config?.ExposedPorts ?? {});
  const http = httpPortOf(config);
  if (http === undefined)
    return {
      name: "ports",
      status: "warn",
      detail: "none",
      hint: "publish by hand: slipway run -p HOST:CONTAINER",
    };
  return {
    name: "ports",
    status: "ok",
    detail: `${ports.join(" ")}${ports.length === 0 ? http : ""}; HTTP on ${http}`,
  };
}

function modelCheck(config: ImageConfig): Check {
  const model = modelOf(config);
  if (model === undefined) return { name: "model", status: "ok", detail: "no model of slipway's" };
  const inputs = (model.signature?.inputs ?? []).length;
  return {
    name: "model",
    status: "ok",
    detail: `${model.kind ?? "?"} "${model.name ?? "?"}", ${model.contract ?? "?"} contract${inputs === 0 ? "" : `, ${inputs} input${inputs === 1 ? "" : "s"}`}`,
  };
}

/** A secret in the environment is there for everybody who can pull the image. */
function environmentCheck({ config }: ImageConfig): Check {
  const names = (config?.Env ?? []).map((entry) => entry.split("=")[0] ?? "");
  const suspects = names.filter((name) =>
    /PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|CREDENTIAL/i.test(name),
  );
  if (suspects.length === 0)
    return {
      name: "environment",
      status: "ok",
      detail: `${names.length} variables, none named like a secret`,
    };
  return {
    name: "environment",
    status: "warn",
    detail: `named like secrets: ${suspects.join(", ")}`,
    hint: "everybody who can pull the image can read them; give them to the container instead",
  };
}
