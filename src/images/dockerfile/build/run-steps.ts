import { isToolError, ToolError } from "../../../ground/errors/index.ts";
import type { Image } from "../../oci/index.ts";
import type { CopyInstruction, Step, TextInstruction } from "../syntax/instruction.ts";
import { dockerfileError } from "../syntax/place.ts";
import type { ImageEntry } from "../tree/image-entry.ts";
import { imageTree, type ImageTree } from "../tree/image-tree.ts";
import { CopyError, makeFolders, type Owner } from "../tree/make-folders.ts";
import { needsNames, resolveOwnerOrRoot, type ReadImageFile } from "../tree/owners.ts";
import type { FolderNode } from "../tree/tree-node.ts";
import { findPath, TooManyLinksError } from "../tree/tree-path.ts";
import { fetches, runCopy } from "./copy-step.ts";
import type { Build, DoneStage } from "./evaluate.ts";
import {
  executingLine,
  mountSources,
  openingLines,
  type ExecutingStep,
} from "./executing-lines.ts";
import { applyConfigStep, type ConfigStep, type StageScope } from "./run-config.ts";
import { copySourceOf, type ResolvedStage } from "./stage-graph.ts";
import type { BuiltStep } from "./stage-recipe.ts";

const FOLDER_MODE = 0o755;
const MAX_OWNER_FILE_BYTES = 10 * 2 ** 20;
const DEFAULT_SHELL = ["/bin/sh", "-c"];

/**
 * Goes through the steps of a stage. Steps in a row that execute are handed over together.
 * @throws as `buildTarget`.
 */
export async function runSteps(
  build: Build,
  stage: ResolvedStage,
  begun: DoneStage,
  steps: readonly Step[],
): Promise<DoneStage> {
  let done = begun;
  for (let at = 0; at < steps.length;) {
    build.host.pack.signal?.throwIfAborted();
    const executing = executingFrom(steps, at);
    if (executing.length > 0) {
      done = await handOver(build, stage, done, executing);
      at += executing.length;
      continue;
    }
    done = await runStep(build, stage, done, steps[at] as Step); // at is below the length
    at += 1;
  }
  return done;
}

function executingFrom(steps: readonly Step[], from: number): readonly ExecutingStep[] {
  const found: ExecutingStep[] = [];
  for (const step of steps.slice(from)) {
    if (step.kind !== "RUN" && !(step.kind === "ADD" && fetches(step))) break;
    found.push(step);
  }
  return found;
}

async function runStep(
  build: Build,
  stage: ResolvedStage,
  done: DoneStage,
  step: Step,
): Promise<DoneStage> {
  if (step.kind === "COPY" || step.kind === "ADD") return copyFiles(build, stage, done, step);
  const scope = applyConfigStep(done.scope, step as ConfigStep, build.values); // RUN was handed over
  const after: DoneStage = { ...done, scope };
  if (step.kind === "WORKDIR") return makeWorkingDir(build, after, step);
  return { ...after, steps: [...done.steps, { kind: "history", text: step.text.trim() }] };
}

async function makeWorkingDir(
  build: Build,
  done: DoneStage,
  step: TextInstruction,
): Promise<DoneStage> {
  const text = step.text.trim();
  const folder = done.scope.config.WorkingDir ?? "/";
  if (folder === "/") return { ...done, steps: [...done.steps, { kind: "history", text }] };
  refuseNamesOfNobody(done, step);
  const tree = await done.files.tree();
  try {
    const { path } = await findPath(tree.root, folder, true);
    await makeFolders(tree, path, { mode: FOLDER_MODE, owner: await userOf(build, done) });
  } catch (error) {
    if (!(error instanceof CopyError || error instanceof TooManyLinksError)) throw error;
    throw dockerfileError(step.place, `WORKDIR: ${error.message}`, { cause: error });
  }
  return withEntries(done, text, await tree.takeChanges());
}

/** A step that changed nothing is a line of history. */
function withEntries(done: DoneStage, text: string, entries: readonly ImageEntry[]): DoneStage {
  const step: BuiltStep =
    entries.length === 0 ? { kind: "history", text } : { kind: "files", text, entries };
  return { ...done, steps: [...done.steps, step] };
}

function userOf(build: Build, done: DoneStage): Promise<Owner | undefined> {
  const user = done.scope.config.User ?? "";
  return user === ""
    ? Promise.resolve(undefined)
    : resolveOwnerOrRoot(user, readerOf(build, done.files));
}

/** True for a stage on nothing that has no files yet. */
function hasNoFiles({ base, steps }: DoneStage): boolean {
  return base === undefined && steps.every(({ kind }) => kind === "history");
}

function refuseNamesOfNobody(done: DoneStage, { place }: TextInstruction): void {
  const user = done.scope.config.User ?? "";
  if (user !== "" && needsNames(user) && hasNoFiles(done))
    throw dockerfileError(
      place,
      `WORKDIR: user "${user}" cannot be looked up: the stage has no /etc/passwd yet`,
      { hint: "name the user by number, or move USER below WORKDIR" },
    );
}

async function copyFiles(
  build: Build,
  stage: ResolvedStage,
  done: DoneStage,
  step: CopyInstruction,
): Promise<DoneStage> {
  // As BuildKit has it, --chmod makes --link void.
  const isLinked = step.isLinked && step.chmod === "";
  const tree = isLinked ? imageTree() : await done.files.tree();
  await runCopy({
    step,
    tree,
    variables: done.scope.variables,
    escape: build.values.escape,
    workingDir: done.scope.config.WorkingDir ?? "/",
    source: await sourceOf(build, stage, step),
    readImageFile: readerOf(build, done.files),
    archives: {
      files: build.extracted,
      cache: build.reading.cache,
      signal: build.reading.signal,
    },
    explainMissing: async (path) =>
      step.from === undefined ? build.request.explainMissing(path) : undefined,
  });
  const entries = await tree.takeChanges();
  if (isLinked) done.files.addEntries(entries);
  return withEntries(done, step.text.trim(), entries);
}

async function sourceOf(
  build: Build,
  stage: ResolvedStage,
  step: CopyInstruction,
): Promise<FolderNode> {
  if (step.from === undefined) return build.request.context;
  const source = copySourceOf(step, build.graph.stages, stage);
  const tree =
    source.kind === "image"
      ? await build.imageTree(source.name, build.request.platform, step.place)
      : await (await build.stage(source.stage.index)).files.tree();
  return tree.root;
}

/** Reads a small text file of the stage. */
function readerOf({ extracted, reading }: Build, files: DoneStage["files"]): ReadImageFile {
  return async (path) => {
    const { root }: ImageTree = await files.tree();
    const { node } = await findPath(root, path, true);
    if (node?.kind !== "file" || node.size > MAX_OWNER_FILE_BYTES) return undefined;
    return Buffer.concat(await Array.fromAsync(extracted.open(node, reading))).toString("utf8");
  };
}

async function handOver(
  build: Build,
  stage: ResolvedStage,
  done: DoneStage,
  steps: readonly ExecutingStep[],
): Promise<DoneStage> {
  const [first] = steps as readonly [ExecutingStep];
  const { file, line, column } = first.place;
  const shell = done.scope.config.Shell ?? [];
  const reason = `${file}:${line}:${column}: ${summary(first)} ${first.kind === "RUN" ? "executes a program" : "fetches from the network"}`;
  const action = `build ${reason}`;
  try {
    const mounted = await mountedImages(build, stage, steps);
    const layers = await build.host.execute({
      image: hasNoFiles(done) ? undefined : (await build.assemble(done)).image,
      platform: done.platform,
      lines: [
        ...openingLines(done.scope),
        ...steps.map((step) =>
          executingLine(step, shell.length > 0 ? shell : DEFAULT_SHELL, mounted.names),
        ),
      ],
      buildArgs: withProxies(done.scope, build.request.buildArgs),
      environment: done.scope.config.Env ?? [],
      images: mounted.images,
      reason,
    });
    done.files.addLayers(layers);
    const text = steps.map((step) => step.text.trim()).join("\n");
    return { ...done, steps: [...done.steps, { kind: "executed", text, layers }] };
  } catch (error) {
    if (!isToolError(error) || error.code === "INTERRUPTED" || error.action === action) throw error;
    throw new ToolError(error.code, `${action}: ${error.message}`, {
      action,
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

function summary({ text }: ExecutingStep): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

const PROXIES = /^(?:https?|ftp|no|all)_proxy$/i;

function withProxies(
  { variables }: StageScope,
  buildArgs: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map([...[...buildArgs].filter(([name]) => PROXIES.test(name)), ...variables]);
}

/** The stages that steps mount, each under a name that is used once. */
async function mountedImages(
  build: Build,
  stage: ResolvedStage,
  steps: readonly ExecutingStep[],
): Promise<{
  readonly images: ReadonlyMap<string, Image>;
  readonly names: ReadonlyMap<string, string>;
}> {
  const images = new Map<string, Image>();
  const names = new Map<string, string>();
  for (const step of steps)
    for (const name of mountSources(step)) {
      const source = copySourceOf(
        { from: name, kind: step.kind, place: step.place },
        build.graph.stages,
        stage,
      );
      if (source.kind !== "stage") continue;
      const alias = `slipway-stage-${source.stage.index}`;
      names.set(name, alias);
      images.set(alias, (await build.assemble(await build.stage(source.stage.index))).image);
    }
  return { images, names };
}
