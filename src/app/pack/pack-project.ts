import { createDeflatePool } from "../../images/compress/index.ts";
import { parseLocation } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { parsePlatform, type Platform } from "../../images/oci/index.ts";
import { packImages, type BaseImage, type JsonCache } from "../../images/pack/index.ts";
import type { Conversion } from "../convert/convert-model.ts";
import type { OptimizedFolder, OptimizeRequest } from "../convert/optimized-folder.ts";
import { move } from "../places/move.ts";
import { parseOutput } from "../places/names.ts";
import { checkPushes, openStore } from "../places/places.ts";
import type { Store } from "../../images/store/index.ts";
import type { ImagesResult, PlanResult } from "../results.ts";
import type { Session } from "../session.ts";
import { readPythonSources, sourceFile } from "../python/python-sources.ts";
import { refusePythonTwo, reviewPython, warnOfOldTensorFlow } from "../python/review-python.ts";
import { warnOfImports } from "../python/warn-of-imports.ts";
import { withAptPackages, type AptRequest } from "./apt-packages.ts";
import { openBase, openNothing, type OpenBase } from "./base-image.ts";
import { deliver, deliveryResult, referenceOf, type Packed } from "./deliver.ts";
import { forgetfulStore, withoutWriting } from "./dry-run.ts";
import { registryNames } from "./forecast.ts";
import { packContextOf } from "./pack-context.ts";
import { planImages } from "./plan.ts";
import { loadProject, neededBy, type LoadedProject, type ProjectRequest } from "./project.ts";

/** A project folder to make images of. What is left out, its `slipway.yaml` says, or the folder's content. */
export interface PackRequest extends ProjectRequest {
  /** Relative to the session's working folder. */
  readonly folder: string;
  /** Default: `image` of the project file, else `store:NAME`. */
  readonly names?: readonly string[] | undefined;
  /** `HOST/REPOSITORY:TAG` or `store:NAME`. */
  readonly base?: string | undefined;
  /** `os/architecture`. Default: `platforms` of the project file, else `linux/amd64`. */
  readonly platforms?: readonly string[] | undefined;
  /** Packs a copy of the folder, `NAME-py3` beside it, whose Python files were made Python 3. Default false. */
  readonly isConverted?: boolean | undefined;
  /** Packs the model as ONNX, made and compared as `convertModel` does it, so that the image needs no Python. Default: as it is. */
  readonly optimize?: "onnx" | undefined;
}

/** Packs a project, and takes the images where they shall go. */
export interface PackAndDeliverRequest extends PackRequest {
  /** Pushes to every name that is in a registry. Default false. */
  readonly isPush?: boolean | undefined;
  /** Further places, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, `docker-daemon:REF` or `podman:REF`. */
  readonly outputs?: readonly string[] | undefined;
}

/**
 * Packs a project, keeps its images in the store, and takes them where the request says. A registry is asked whether it takes a
 * push before anything is made.
 * @throws ToolError `PROJECT_NOT_FOUND`, `PROJECT_INVALID`, `MODEL_NOT_DETECTED`, `BASE_UNSUITABLE`, `REGISTRY_UNAUTHORIZED` and
 * what reading and writing places throws.
 */
export async function packProject(
  request: PackAndDeliverRequest,
  session: Session,
): Promise<ImagesResult> {
  const startedAt = performance.now();
  const outputs = (request.outputs ?? []).map(parseOutput);
  return withPacked(
    request,
    { session, isKept: true },
    async ({ packed, names, store, conversion }) => {
      const delivered = await deliver({
        packed,
        names,
        isPush: request.isPush === true,
        store,
        session,
      });
      for (const output of outputs) {
        // What is written as a whole says so itself.
        if (output.startsWith("oci:")) session.emit({ kind: "step", text: `writing ${output}` });
        await move({ from: names[0] ?? "", to: output, isFromStore: true }, session);
      }
      return { ...(await deliveryResult(delivered, { packed, names, startedAt })), conversion };
    },
  );
}

/** What packing and pushing would come to. @param isKept - what is made is kept for the next pack; else nothing is written down. */
export async function planProject(
  request: PackAndDeliverRequest & { readonly isKept: boolean },
  session: Session,
): Promise<PlanResult> {
  // A plan asks what a push would come to, and not for leave.
  return withPacked(
    { ...request, isPush: false },
    { session, isKept: request.isKept },
    async ({ loaded, packed, names, conversion }) => ({
      ...(await planImages(
        {
          project: loaded.project,
          label: loaded.detected.chosen.label,
          details: loaded.detected.details,
          packed,
          names,
          isPush: true,
        },
        session,
      )),
      conversion,
    }),
  );
}

interface PackedProject {
  readonly loaded: LoadedProject;
  readonly packed: readonly Packed[];
  readonly names: readonly string[];
  readonly store: Store;
  /** How its model became ONNX, where that was wanted. */
  readonly conversion?: Conversion | undefined;
}

/** Packs, and hands over what was packed while its base and its store are open. */
async function withPacked<T>(
  request: PackAndDeliverRequest,
  { session, isKept }: { readonly session: Session; readonly isKept: boolean },
  use: (packed: PackedProject) => Promise<T>,
): Promise<T> {
  await using store = await openStore(session);
  await using pool = createDeflatePool();
  const real = packContextOf(store, pool, session);
  const packContext = isKept ? real : withoutWriting(real);
  await using source = await sourceOf({ ...request, isKept }, session);
  // What names a model of the folder names none of the copy, which has one only.
  const { model, kind, ...others } = request;
  const named = request.optimize === undefined ? { model, kind } : {};
  const loaded = await loadProject(
    source.path,
    { ...others, ...named },
    {
      session,
      memory: packContext.cache("formats"),
    },
  );
  await refuseOldCode(loaded, session);
  const { requirementLines, isWeightsAlone = false } = loaded.project;
  const isOfModel = requirementLines === neededBy(loaded.detected);
  if (requirementLines.length > 0 && isOfModel && !isWeightsAlone)
    session.emit({
      kind: "step",
      text: `no requirements.txt: installing ${requirementLines.join(", ")}, which the model needs`,
    });
  const names = targetNames(request, loaded);
  const pushed = request.isPush === true ? registryNames(names) : [];
  await using base = isWeightsAlone
    ? openNothing()
    : await openBase(baseOf(request, loaded), packContext.cache("base"), session);
  const bases = await basesFor(base, platformsOf(request, loaded), {
    packages: isWeightsAlone ? [] : (loaded.file.apt ?? []),
    store: isKept ? store : { ...forgetfulStore(store), resolve: store.resolve.bind(store) },
    epochS: loaded.project.epochS,
    session,
  });
  const images = await packImages(
    { ...loaded, onChecked: () => checkPushes(pushed, session) },
    bases,
    packContext,
  );
  const packed = images.map((image, index) => ({ image, base: bases[index] as BaseImage })); // one image a base, in order
  await warnOfCode(loaded, packed, { cache: packContext.cache("base"), session });
  return await use({ loaded, packed, names, store, conversion: source.conversion });
}

/** The folder, or its copy in Python 3 or with the model in ONNX, where that is wanted. */
async function sourceOf(
  request: PackRequest & Pick<OptimizeRequest, "isKept">,
  session: Session,
): Promise<OptimizedFolder> {
  const { folder, isConverted, optimize } = request;
  if (optimize === "onnx")
    return (await import("../convert/optimized-folder.ts")).optimizedFolder(request, session);
  const path =
    isConverted === true
      ? await (await import("../python/convert-python-two.ts")).convertPythonTwo(folder, session)
      : folder;
  return { path, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Says what a Python class imports and its images do not have; on the first platform, since the others have the same packages. */
async function warnOfCode(
  { project: { code, env }, tree }: LoadedProject,
  [first]: readonly Packed[],
  { cache, session }: { readonly cache: JsonCache; readonly session: Session },
): Promise<void> {
  if (code?.language !== "python" || first === undefined) return;
  const sources = await readPythonSources(tree.files.map(sourceFile));
  const { base, image } = first;
  const about = { mainFile: code.file, sources, base, layers: image.layers, env };
  await warnOfImports(about, { cache }, session);
}

/** A class is started by Python 3. @throws ToolError `PROJECT_INVALID` naming every line that it does not take. */
async function refuseOldCode({ project, tree }: LoadedProject, session: Session): Promise<void> {
  if (project.code?.language !== "python") return;
  const sources = await readPythonSources(tree.files.map(sourceFile));
  const review = reviewPython(project.code.file, sources);
  refusePythonTwo(review, { what: `pack "${project.name}"`, caller: session });
  warnOfOldTensorFlow(review, session);
}

/** Every base is looked at before anything is made. */
async function basesFor(
  base: OpenBase,
  platforms: readonly Platform[],
  apt: AptRequest,
): Promise<readonly BaseImage[]> {
  const bases: BaseImage[] = [];
  for (const platform of platforms)
    bases.push(await withAptPackages(await base.imageFor(platform), apt));
  return bases;
}

function platformsOf(request: PackAndDeliverRequest, { file }: LoadedProject): readonly Platform[] {
  const named = request.platforms?.flatMap((text) => text.split(",")) ??
    file.platforms ?? ["linux/amd64"];
  return [...new Set(named)].map(parsePlatform);
}

function targetNames(
  request: PackAndDeliverRequest,
  { file, project }: LoadedProject,
): readonly string[] {
  const names =
    request.names ?? (file.image === undefined ? [`store:${project.name}`] : [file.image]);
  for (const name of names) referenceOf(name);
  if (request.isPush === true && registryNames(names).length === 0) {
    throw new ToolError("USAGE", "pack --push: no name is in a registry", {
      hint: "name one: -t HOST/REPOSITORY:TAG, or image: in slipway.yaml",
    });
  }
  return names;
}

function baseOf(request: PackAndDeliverRequest, { file }: LoadedProject): string {
  const base = request.base ?? file.base;
  if (base !== undefined) return keptBase(base);
  throw new ToolError("USAGE", "pack: no base image is named", {
    hint: "make one with `slipway base debian --include python3 --name pybase`, then pass `--base store:pybase`",
  });
}

/** The image refers to its base's layers later on; a folder, an archive or an engine may be gone by then. @throws ToolError `USAGE`. */
function keptBase(base: string): string {
  const { kind } = parseLocation(base);
  if (kind === "registry" || kind === "store") return base;
  throw new ToolError("USAGE", `pack on "${base}": a base is in a registry or in the store`, {
    hint: `run \`slipway copy ${base} store:base\`, then pass \`--base store:base\``,
  });
}
