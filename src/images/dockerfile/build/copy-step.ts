import { posix } from "node:path";
import { isToolError, ToolError } from "../../../ground/errors/index.ts";
import { compilePatterns } from "../ignore/path-patterns.ts";
import { expandWord, type Variables } from "../syntax/expand-words.ts";
import { parseFileMode, type FileMode } from "../syntax/file-mode.ts";
import { heredocText, heredocWord } from "../syntax/heredoc.ts";
import type { CopyInstruction } from "../syntax/instruction.ts";
import { dockerfileError } from "../syntax/place.ts";
import { bytesTree } from "../tree/context-tree.ts";
import { copyInto, type CopyOptions } from "../tree/copy-into.ts";
import type { ImageTree } from "../tree/image-tree.ts";
import { CopyError, type Owner } from "../tree/make-folders.ts";
import { needsNames, resolveOwner, UnknownOwnerError, type ReadImageFile } from "../tree/owners.ts";
import { hasWildcards, resolveSources } from "../tree/source-paths.ts";
import type { FolderNode } from "../tree/tree-node.ts";
import { findPath, plainParts, TooManyLinksError } from "../tree/tree-path.ts";
import { archiveIn, unpackArchive, type ArchiveContext } from "../tree/unpack-archive.ts";
import { expandOrRefuse } from "./stage-graph.ts";

/** Everything a `COPY` or `ADD` works with. */
export interface CopyJob {
  readonly step: CopyInstruction;
  readonly variables: Variables;
  readonly escape: string;
  readonly workingDir: string;
  /** Where its paths lie. */
  readonly source: FolderNode;
  /** Where they go. */
  readonly tree: ImageTree;
  /** Reads `/etc/passwd` and `/etc/group` of the image. */
  readonly readImageFile: ReadImageFile;
  readonly archives: ArchiveContext;
  /** Says why a source may be missing, such as an ignore file; `undefined` when nothing is known. */
  explainMissing(source: string): Promise<string | undefined>;
}

const FETCHED = /^(?:https?|git|ssh):\/\/|^git@/i;

/** True for an `ADD` that fetches from the network, which a builder does. */
export function fetches(step: CopyInstruction): boolean {
  return step.kind === "ADD" && step.sources.some((source) => FETCHED.test(source));
}

/**
 * Does a `COPY` or `ADD`: the changes are in the tree.
 * @throws ProjectError `DOCKERFILE_INVALID` with the step's place; what reading files and archives throws.
 */
export async function runCopy(job: CopyJob): Promise<void> {
  const { step } = job;
  try {
    const plan = await planCopy(job);
    await refuseSeveralOntoOne(job, plan);
    for (const source of plan.paths) await copyPath(job, plan, source);
    for (const { name, bytes } of plan.documents)
      await copyInto(
        job.tree,
        {
          root: bytesTree(new Map([[posix.basename(name), bytes]])),
          source: `/${posix.basename(name)}`,
        },
        plan.target,
        { ...plan.options, included: undefined, excluded: undefined },
      );
  } catch (error) {
    throw atStep(step, error);
  }
}

/** What goes wrong with the files of a step is told with the step's place. */
function atStep({ place, kind }: CopyInstruction, error: unknown): unknown {
  if (
    error instanceof CopyError ||
    error instanceof TooManyLinksError ||
    error instanceof UnknownOwnerError
  )
    return dockerfileError(place, `${kind}: ${error.message}`, { cause: error });
  if (!isToolError(error) || error.code === "INTERRUPTED" || error.code === "DOCKERFILE_INVALID")
    return error;
  return new ToolError(
    error.code,
    `build ${place.file}:${place.line}:${place.column}: ${kind}: ${error.message}`,
    { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) },
  );
}

interface CopyPlan {
  /** As written, variables put in. */
  readonly written: readonly string[];
  readonly paths: readonly PlannedSource[];
  readonly documents: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Absolute; a slash or `/.` at the end says that it is a folder. */
  readonly target: string;
  /** True when the target as written says that it is a folder. */
  readonly isFolder: boolean;
  readonly options: CopyOptions;
}

interface PlannedSource {
  /** Absolute path in the source tree. */
  readonly path: string;
  /** `--parents`: what of that folder is copied. */
  readonly pattern: string | undefined;
}

async function planCopy(job: CopyJob): Promise<CopyPlan> {
  const { step, variables, escape, workingDir } = job;
  const expand = (text: string): string =>
    expandOrRefuse(text, variables, { place: step.place, escape });
  const written = step.sources.filter((word) => heredocWord(word) === undefined).map(expand);
  refuseFetching(step, written);
  const target = expand(step.target);
  const paths: PlannedSource[] = [];
  for (const source of written) paths.push(...(await sourcesOf(job, source)));
  return {
    written,
    paths,
    documents: documentsOf(job),
    target: targetPath(workingDir, target),
    isFolder: /(?:^|\/)\.?$/.test(target),
    options: {
      owner: await ownerOf(job, expand(step.chown)),
      mode: modeOf(job, expand(step.chmod)),
      included: undefined,
      excluded: step.excludes.length === 0 ? undefined : excludedBy(step),
    },
  };
}

function refuseFetching(step: CopyInstruction, written: readonly string[]): void {
  if (step.isForFetched)
    throw dockerfileError(
      step.place,
      `${step.kind}: --checksum and --keep-git-dir require HTTP(S) or Git sources`,
    );
  if (step.kind === "COPY" && written.some((source) => FETCHED.test(source)))
    throw dockerfileError(step.place, "COPY: source can't be a URL for COPY", { hint: "use ADD" });
}

function excludedBy(step: CopyInstruction): CopyOptions["excluded"] {
  try {
    return compilePatterns(step.excludes);
  } catch (error) {
    throw dockerfileError(
      step.place,
      `${step.kind}: invalid excludepatterns: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

/** An absolute path; what the text says of being a folder stays. */
function targetPath(workingDir: string, target: string): string {
  const text = target === "" || target === "." ? "./" : target;
  const path = posix.resolve("/", workingDir, text);
  if (text.endsWith("/.")) return path === "/" ? "/." : `${path}/.`;
  return text.endsWith("/") && path !== "/" ? `${path}/` : path;
}

async function sourcesOf(job: CopyJob, source: string): Promise<readonly PlannedSource[]> {
  const { step } = job;
  const pivot = source.indexOf("/./");
  const folder = step.keepsParents ? (pivot < 0 ? "/" : source.slice(0, pivot)) : source;
  const pattern = step.keepsParents
    ? posix.join("/", pivot < 0 ? source : source.slice(pivot + 3)).slice(1)
    : undefined;
  const path = posix.join("/", folder);
  if (pattern !== undefined && !hasWildcards(path) && !hasWildcards(pattern))
    await requirePath(job, posix.join(path, pattern), source);
  const found = await resolveSources(job.source, path);
  if (!hasWildcards(path)) await requirePath(job, path, source);
  return found.map((each) => ({ path: each, pattern }));
}

async function requirePath(job: CopyJob, path: string, written: string): Promise<void> {
  const { node } = await findPath(job.source, path, true);
  if (node !== undefined) return;
  const why = await job.explainMissing(path);
  throw new CopyError(`"${written}" not found${why === undefined ? "" : `: ${why}`}`);
}

/** Several files onto one name would leave the last of them. */
async function refuseSeveralOntoOne(job: CopyJob, plan: CopyPlan): Promise<void> {
  const { step, tree, source } = job;
  if (plan.paths.length + plan.documents.length < 2 || plan.isFolder) return;
  const there = await findPath(tree.root, `/${plainParts(plan.target).join("/")}`, true);
  if (there.node?.kind === "folder") return;
  const found = await Promise.all(plan.paths.map(({ path }) => findPath(source, path, true)));
  if (plan.documents.length === 0 && found.every(({ node }) => node?.kind === "folder")) return;
  throw new CopyError(
    `when using ${step.kind} with more than one source file, the destination must be a directory and end with a /: got "${plan.target}"`,
  );
}

async function copyPath(job: CopyJob, plan: CopyPlan, source: PlannedSource): Promise<void> {
  const { step, tree, source: root } = job;
  if (step.unpacks ?? step.kind === "ADD") {
    const { node } = await findPath(root, source.path, true);
    const archive = node?.kind === "file" ? await archiveIn(node, job.archives) : undefined;
    if (archive !== undefined)
      return unpackArchive(tree, archive, plan.target, {
        ...job.archives,
        owner: plan.options.owner,
      });
  }
  const included = source.pattern === undefined ? undefined : compilePatterns([source.pattern]);
  await copyInto(tree, { root, source: source.path }, plan.target, { ...plan.options, included });
}

function documentsOf({ step, variables }: CopyJob): CopyPlan["documents"] {
  const byName = new Map(step.heredocs.map((heredoc) => [heredoc.name, heredoc]));
  return step.sources.flatMap((word) => {
    const announced = heredocWord(word);
    if (announced === undefined) return [];
    const heredoc = byName.get(announced.name) ?? announced; // a JSON list has words without documents
    const text = heredocText(heredoc);
    const content = heredoc.isExpanded ? expandDocument(step, text, variables) : text;
    return [{ name: heredoc.name, bytes: Buffer.from(content) }];
  });
}

function expandDocument(step: CopyInstruction, text: string, variables: Variables): string {
  try {
    return expandWord(text, variables, { ignoresQuotes: true });
  } catch (error) {
    throw dockerfileError(step.place, `${step.kind}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function ownerOf(job: CopyJob, text: string): Promise<Owner | undefined> {
  if (text === "") return undefined;
  if (job.step.isLinked && needsNames(text))
    throw new CopyError(
      `--chown=${text}: user and group names can't be resolved when used with --link, use numeric uid[:gid] instead`,
    );
  return resolveOwner(text, job.readImageFile);
}

function modeOf({ step }: CopyJob, text: string): FileMode | undefined {
  if (text === "") return undefined;
  try {
    return parseFileMode(text);
  } catch (error) {
    throw dockerfileError(step.place, `${step.kind}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
