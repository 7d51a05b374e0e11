import { posix } from "node:path";
import type { CallOptions } from "../../ground/bytes/index.ts";
import { manifestOf, uncompressed, type Image, type ImageConfig } from "../../images/oci/index.ts";
import { kindRuntime, MODEL_KINDS } from "../../models/description/index.ts";
import { readTar } from "../../images/tar/index.ts";
import type { Check } from "./checks.ts";

/** A layer from this size on holds weights, and no program that the image starts with. */
const MAX_LAYER_BYTES = 512 * 2 ** 20;
/** The oldest glibc that the Node in our images runs on. */
const NODE_GLIBC = [2, 28] as const;

/** What an entry of a tar does to a path: puts something there, or takes away what was. */
type Fate =
  | { readonly isThere: true; readonly isExecutable: boolean }
  | { readonly isThere: false };

/** Reads the names in an image's layers, and says whether what it starts is in it. */
export async function contentChecks(
  image: Image,
  config: ImageConfig,
  options: CallOptions = {},
): Promise<readonly Check[]> {
  const wanted = wantedPaths(config);
  if (wanted.length === 0) return [];
  const { found, skipped } = await lookFor(image, wanted, options);
  return wanted.map((path): Check => {
    const fate = found.get(path);
    const name = "file";
    if (fate === undefined && skipped > 0)
      return {
        name,
        status: "warn",
        detail: `${path}: not found, and ${skipped} large layers were not looked into`,
      };
    if (fate?.isThere !== true)
      return {
        name,
        status: "fail",
        detail: `${path} is not in the image`,
        hint: "the image cannot start: pack it again, or choose another base",
        code: "UNSUPPORTED",
      };
    const isProgram = path !== wanted[1] || !path.endsWith(".mjs");
    if (isProgram && !fate.isExecutable)
      return {
        name,
        status: "fail",
        detail: `${path} is not executable`,
        hint: "set the executable bit, and pack again",
        code: "UNSUPPORTED",
      };
    return { name, status: "ok", detail: path };
  });
}

/** The program that starts, the script that it is given, and the Python that the base says it has. */
function wantedPaths({ config }: ImageConfig): readonly string[] {
  const [program, script] = [...(config?.Entrypoint ?? []), ...(config?.Cmd ?? [])];
  const python = config?.Labels?.["dev.slipway.base.python.executable"];
  return [program, script?.endsWith(".mjs") === true ? script : undefined, python].flatMap((path) =>
    path?.startsWith("/") === true ? [posix.normalize(path)] : [],
  );
}

async function lookFor(
  image: Image,
  wanted: readonly string[],
  options: CallOptions,
): Promise<{ readonly found: ReadonlyMap<string, Fate>; readonly skipped: number }> {
  const places = new Map(
    wanted.flatMap((path) => placesOf(path).map((place) => [place, path] as const)),
  );
  const found = new Map<string, Fate>();
  const [layers, manifest] = await Promise.all([image.layers(options), manifestOf(image, options)]);
  let skipped = 0;
  for (const [index, layer] of layers.entries()) {
    const { size = 0, mediaType = "" } = manifest.layers[index] ?? {};
    if (size > MAX_LAYER_BYTES) {
      skipped += 1;
      continue;
    }
    for await (const { entry } of readTar(
      uncompressed(layer.open(options), mediaType, options),
      options,
    )) {
      const path = places.get(entry.path);
      if (path !== undefined)
        found.set(path, {
          isThere: true,
          isExecutable: entry.type !== "file" || (entry.mode & 0o111) !== 0,
        });
      for (const hidden of hiddenBy(entry.path, wanted)) found.set(hidden, { isThere: false });
    }
  }
  return { found, skipped };
}

/** Where a path may stand in a layer: Debian's `/bin` and `/sbin` are links into `/usr`. */
function placesOf(path: string): readonly string[] {
  const place = path.slice(1);
  return /^s?bin\//.test(place) ? [place, `usr/${place}`] : [place];
}

/** Paths that a whiteout takes away. @see image-spec, layer.md, "Whiteouts" */
function hiddenBy(path: string, wanted: readonly string[]): readonly string[] {
  const name = posix.basename(path);
  if (!name.startsWith(".wh.")) return [];
  const folder = posix.dirname(path);
  const hidden = name === ".wh..wh..opq" ? folder : posix.join(folder, name.slice(".wh.".length));
  return wanted.filter((one) =>
    placesOf(one).some((place) => place === hidden || place.startsWith(`${hidden}/`)),
  );
}

/** What the labels of the base say, against what our server and the model need. Nothing for images that are not ours. */
export function baseChecks({ config }: ImageConfig, kind: string | undefined): readonly Check[] {
  const labels = config?.Labels ?? {};
  const glibc = labels["dev.slipway.base.glibc"];
  const python = labels["dev.slipway.base.python.version"];
  if (kind === undefined || (glibc === undefined && python === undefined)) return [];
  const facts: Check[] = [];
  if (glibc !== undefined) facts.push(glibcCheck(glibc));
  if (python !== undefined) facts.push({ name: "python", status: "ok", detail: python });
  else if (MODEL_KINDS.some((known) => known === kind && kindRuntime(known) === "python"))
    facts.push({
      name: "python",
      status: "fail",
      detail: "the base has none, and the model needs one",
      hint: "pack on a base with python3",
      code: "BASE_UNSUITABLE",
    });
  return facts;
}

function glibcCheck(glibc: string): Check {
  const [major = 0, minor = 0] = glibc.split(".").map(Number);
  const [wantedMajor, wantedMinor] = NODE_GLIBC;
  const isFine = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  if (isFine) return { name: "glibc", status: "ok", detail: glibc };
  return {
    name: "glibc",
    status: "fail",
    detail: `${glibc}, and the server needs ${NODE_GLIBC.join(".")}`,
    hint: "pack on a newer base",
    code: "BASE_UNSUITABLE",
  };
}
