import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import {
  chartFiles,
  defaultServingName,
  dnsLabelOf,
  renderServing,
  servingNotes,
  setValue,
  type Fragment,
  type ServingOptions,
  type WeightsSource,
} from "../../jobs/kubernetes/index.ts";
import { printYaml } from "../../models/description/index.ts";
import type { Places, Surroundings } from "../session.ts";
import { applyObjects, compareObjects, type ClusterPlace } from "./kubectl.ts";
import { findContent, findServedImage, type FoundImage } from "./served-image.ts";
import { readServedProject, type ServedProject } from "./served-project.ts";

/** An image beside the first, by its name. */
export interface SiblingRequest {
  readonly image: string;
  /** Of requests, 0 to 100. */
  readonly percent: number;
}

/** Reads images, and starts kubectl. */
type ClusterCaller = Places & Surroundings;

type OwnOptions = "name" | "canary" | "shadow" | "weights" | "graph";

/** A served model's objects for a cluster. */
export interface ServeManifestRequest extends Omit<ServingOptions, OwnOptions>, ClusterPlace {
  /** An image's name in a registry, or the folder of a project whose `image:` was pushed. */
  readonly target: string;
  /** Default: the model's. */
  readonly name?: string | undefined;
  readonly canary?: SiblingRequest | undefined;
  readonly shadow?: SiblingRequest | undefined;
  /** Name of an image with weights, and how they get into the pod. */
  readonly weights?: { readonly image: string; readonly way: WeightsSource["way"] } | undefined;
  /** `PATH=VALUE` of the first object, or `KIND:PATH=VALUE` of another. */
  readonly assignments?: readonly string[] | undefined;
  /** Where to write the objects. */
  readonly file?: string | undefined;
  /** Folder to write a Helm chart to. */
  readonly helm?: string | undefined;
  /** Hands them to kubectl. Default false. */
  readonly isApplied?: boolean | undefined;
  /** Compares them with the cluster's. Default false. */
  readonly isCompared?: boolean | undefined;
}

/** The objects, and what became of them. */
export interface ServeManifestResult {
  readonly objects: readonly Fragment[];
  /** One object a document, in an order that never changes. */
  readonly yaml: string;
  /** What kubectl said: of `apply`, or the difference. */
  readonly answer: readonly string[];
}

/**
 * Renders the objects that serve a model on a cluster, writes them, compares them, or hands them to kubectl.
 * @throws ToolError `USAGE`, `PROJECT_INVALID`, `REFERENCE_NOT_FOUND`, `TOOL_MISSING`, `PROCESS_FAILED`.
 */
export async function serveManifest(
  request: ServeManifestRequest,
  session: ClusterCaller,
): Promise<ServeManifestResult> {
  assertOneOf(request);
  const { image, options, project } = await openTarget(request, session);
  for (const text of servingNotes({ image: image.served, options }))
    session.emit({ kind: "warning", text });
  if (image.user === undefined && options.runAs === undefined && image.served.hasServer)
    session.emit({
      kind: "warning",
      text: "the image names no ordinary user, and the pods want one: pass --run-as UID",
    });
  let objects = renderServing(image.served, options);
  for (const assignment of request.assignments ?? []) objects = await assign(objects, assignment);
  const yaml = (await Promise.all(objects.map((object) => printYaml(object)))).join("---\n");
  if (request.file !== undefined) await writeFileAtomic(resolve(session.cwd, request.file), yaml);
  if (request.helm !== undefined)
    await writeChart(resolve(session.cwd, request.helm), objects, {
      name: options.name,
      description: `The model ${project?.name ?? image.name}`,
    });
  return {
    objects,
    yaml,
    answer: await askCluster(yaml, request, session),
  };
}

function assertOneOf({ isApplied, isCompared }: ServeManifestRequest): void {
  if (isApplied === true && isCompared === true)
    throw new ToolError("USAGE", "--apply and --diff: one changes the cluster, the other does not");
}

async function askCluster(
  yaml: string,
  request: ServeManifestRequest,
  session: ClusterCaller,
): Promise<readonly string[]> {
  if (request.isCompared === true) return compareObjects(yaml, request, session);
  return request.isApplied === true ? applyObjects(yaml, request, session) : [];
}

interface OpenedTarget {
  readonly image: FoundImage;
  readonly options: ServingOptions;
  readonly project: ServedProject | undefined;
}

async function openTarget(
  request: ServeManifestRequest,
  session: ClusterCaller,
): Promise<OpenedTarget> {
  const { target, canary, shadow, weights, ...plain } = request;
  const project = await readServedProject(target, session);
  const image = await findServedImage(project?.image ?? target, session);
  const model = dnsLabelOf(project?.name ?? image.name, 46) || "model";
  const options: ServingOptions = {
    ...plain,
    name: request.name ?? defaultServingName(image.served, request, model),
    requestS: request.requestS ?? project?.requestS,
    canary: await findSibling(canary, session),
    shadow: await findSibling(shadow, session),
    weights: await findWeights(weights, session),
    graph: await project?.graph(async (name) => (await findServedImage(name, session)).served),
  };
  return { image, options, project };
}

async function findSibling(
  sibling: SiblingRequest | undefined,
  session: Places,
): Promise<ServingOptions["canary"]> {
  if (sibling === undefined) return undefined;
  const { served } = await findServedImage(sibling.image, session);
  return { image: served, percent: sibling.percent };
}

/** The user of an image that names none, where something of it is run: nobody. */
const NOBODY = 65_534;

async function findWeights(
  weights: ServeManifestRequest["weights"],
  session: Places,
): Promise<WeightsSource | undefined> {
  if (weights === undefined) return undefined;
  const { reference, hasServer, user } = await findContent(weights.image, session);
  return {
    ...{ reference, hasServer, way: weights.way },
    ...(user === undefined ? { runAsUser: NOBODY } : {}),
  };
}

/** An object's kind before the path; without one the first object is meant. */
const OF_KIND = /^([A-Z][A-Za-z]+)(?:\/([a-z0-9.-]+))?:(.*)$/s;

/** @throws ToolError `USAGE` for a kind that is not there, and a path that fits nothing. */
async function assign(
  objects: readonly Fragment[],
  assignment: string,
): Promise<readonly Fragment[]> {
  const [, kind, name, own = assignment] = OF_KIND.exec(assignment) ?? [];
  const isMeant = (object: Fragment, index: number): boolean =>
    kind === undefined
      ? index === 0
      : object["kind"] === kind && (name === undefined || objectName(object) === name);
  const kinds = [...new Set(objects.map((object) => String(object["kind"])))];
  if (!objects.some(isMeant))
    throw new ToolError("USAGE", `--set "${assignment}": there is no such object`, {
      hint: `the objects are ${kinds.join(", ")}`,
    });
  return Promise.all(
    objects.map((object, index) =>
      isMeant(object, index) ? setValue(object, own) : Promise.resolve(object),
    ),
  );
}

function objectName({ metadata }: Fragment): unknown {
  return typeof metadata === "object" && metadata !== null && "name" in metadata
    ? metadata.name
    : undefined;
}

/** Writes a chart, file by file. */
async function writeChart(
  folder: string,
  objects: readonly Fragment[],
  about: { readonly name: string; readonly description: string },
): Promise<void> {
  for (const [path, text] of await chartFiles(objects, about)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, text);
  }
}
