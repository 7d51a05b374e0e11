import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { isRetryable, isToolError, ToolError } from "../../ground/errors/index.ts";
import { explainWriteError, withFileLock } from "../../ground/process/index.ts";
import type { FetchContext, FetchPlan } from "./contracts.ts";
import { arrange } from "./place/layout.ts";
import {
  isStillThere,
  readRecord,
  STATE_FOLDER,
  writeRecord,
  type FetchRecord,
} from "./place/record.ts";
import { stageContents } from "./place/stage-contents.ts";
import type { ModelSource } from "./sources/model-source.ts";
import { planSource } from "./sources/plan-source.ts";
import { withoutSignature } from "./sources/url-content.ts";

/** A model that lies on this machine. */
export interface FetchedModel {
  /** Absolute folder. */
  readonly folder: string;
  /** Names in the folder that are of the model; absent when the whole folder is. */
  readonly names?: readonly string[] | undefined;
  /** Where it came from, without secrets. */
  readonly label: string;
  /** True when it had been fetched before and nothing was. */
  readonly isKept: boolean;
}

/** Another process that fetches into the same folder is waited for this long. */
const LOCK_MS = 3_600_000;

/**
 * Brings a model into a folder: fetched, unpacked, arranged and moved into place when it is whole. What is there of an earlier fetch is
 * replaced; a model of the same source is used as it is. Other files of the folder are left alone.
 * @param folder - absolute; made when it is not there
 * @throws RegistryError and ToolError with `fetch the model from "…": ` before what went wrong; `FILE_REFUSED` when a file that was not
 * fetched has a name of the model's; `STORE_UNWRITABLE`, `DISK_FULL`
 */
export async function fetchModel(
  source: ModelSource,
  folder: string,
  context: FetchContext,
): Promise<FetchedModel> {
  const state = join(folder, STATE_FOLDER);
  await mkdir(state, { recursive: true }).catch((error: unknown) => {
    throw explainWriteError(error, state);
  });
  return withFileLock(join(state, "lock"), () => fetchLocked(source, folder, context), {
    timeoutMs: LOCK_MS,
    signal: context.signal,
  });
}

async function fetchLocked(
  source: ModelSource,
  folder: string,
  context: FetchContext,
): Promise<FetchedModel> {
  const asked = hashOf(textOfSource(source));
  const record = await readRecord(folder);
  const isKept = record?.source === asked && (await isStillThere(folder, record));
  const kept = isKept && !isRefresh(context) ? record : undefined;
  if (kept !== undefined && isSettled(source)) return keptModel(folder, kept);
  const plan = await planOrKeep(source, kept, context);
  if (kept !== undefined && (plan === undefined || kept.key === hashOf(plan.key)))
    return keptModel(folder, kept);
  if (plan === undefined) throw new Error("a source without a plan was kept");
  if (plan.inPlace !== undefined) return { folder: plan.inPlace, label: plan.label, isKept: false };
  return fetchPlan(plan, { folder, asked, record }, context);
}

async function fetchPlan(
  plan: FetchPlan,
  place: {
    readonly folder: string;
    readonly asked: string;
    readonly record: FetchRecord | undefined;
  },
  context: FetchContext,
): Promise<FetchedModel> {
  const { folder, asked, record } = place;
  const key = hashOf(plan.key);
  const staging = await stagingFolder(folder, key);
  try {
    const staged = await stageContents(plan, staging, context);
    if (staged.isUnpacked) await arrange(staged.folder);
    const fresh = { source: asked, key, label: plan.label };
    const names = await switchIn(staged.folder, folder, { fresh, record });
    await rm(staging, { recursive: true, force: true });
    return { folder, names, label: plan.label, isKept: false };
  } catch (error) {
    // What came so far is of use when the network failed or somebody ended it, and of none when the content is wrong.
    const isOfUse = isRetryable(error) || context.signal?.aborted === true;
    if (!isOfUse) await rm(staging, { recursive: true, force: true });
    throw withPlace(error, plan);
  }
}

const STAGING = "fetch-";

/** Where the contents of one plan are put together, be it by several processes one after the other; what is left of other plans goes. */
async function stagingFolder(folder: string, key: string): Promise<string> {
  const state = join(folder, STATE_FOLDER);
  const name = `${STAGING}${key.slice(0, 16)}`;
  for (const other of await readdir(state))
    if (other.startsWith(STAGING) && other !== name)
      await rm(join(state, other), { recursive: true, force: true });
  await mkdir(join(state, name), { recursive: true });
  return join(state, name);
}

function keptModel(folder: string, { names, label }: FetchRecord): FetchedModel {
  return { folder, names, label, isKept: true };
}

/** `MODEL_REFRESH=1`: fetched anew at each start. */
function isRefresh({ environment }: FetchContext): boolean {
  return /^(?:1|true|yes|on)$/i.test(environment["MODEL_REFRESH"]?.trim() ?? "");
}

/** Two sources of one text are the same. May hold secrets. */
function textOfSource(source: ModelSource): string {
  if (source.kind !== "url") return JSON.stringify(source);
  const { method, url, body = new Uint8Array(0) } = source.request;
  return `${method} ${withoutSignature(url)} ${Buffer.from(body).toString("utf8")}`;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** True for a source whose model does not change, as far as its name can tell: nobody is asked again. */
function isSettled(source: ModelSource): boolean {
  switch (source.kind) {
    case "url":
      return true;
    case "image":
      return /@sha256:[0-9a-f]{64}$/.test(source.name);
    case "hub":
      return /^[0-9a-f]{40}$/.test(source.revision);
    case "file":
    case "s3":
      return false;
    default:
      return source satisfies never;
  }
}

/** Nothing when the source cannot be reached and a model of it is there. */
async function planOrKeep(
  source: ModelSource,
  kept: FetchRecord | undefined,
  context: FetchContext,
): Promise<FetchPlan | undefined> {
  try {
    return await planSource(source, context);
  } catch (error) {
    if (kept === undefined || !isRetryable(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    context.onWarning?.(`the model that was fetched before is used: ${why}`);
    return undefined;
  }
}

/** Moves a whole model into place. The record says first what is to be touched, and last that it is whole. */
async function switchIn(
  from: string,
  folder: string,
  about: {
    readonly fresh: Pick<FetchRecord, "source" | "key" | "label">;
    readonly record: FetchRecord | undefined;
  },
): Promise<readonly string[]> {
  const { fresh, record } = about;
  const names = (await readdir(from)).sort();
  const old = record?.names ?? [];
  const there = new Set(await readdir(folder));
  const foreign = names.find((name) => there.has(name) && !old.includes(name));
  if (foreign !== undefined || names.includes(STATE_FOLDER))
    throw new ToolError(
      "FILE_REFUSED",
      `put "${foreign ?? STATE_FOLDER}" into "${folder}": something that was not fetched has that name`,
      { hint: "remove it, or name another folder in MODEL_DIR" },
    );
  await writeRecord(folder, { ...fresh, names: [...new Set([...old, ...names])], isWhole: false });
  for (const name of old) await rm(join(folder, name), { recursive: true, force: true });
  for (const name of names) await rename(join(from, name), join(folder, name));
  await writeRecord(folder, { ...fresh, names, isWhole: true });
  return names;
}

/** Says what was being fetched, where the error does not yet. */
function withPlace(error: unknown, { label, action }: FetchPlan): unknown {
  if (!isToolError(error) || error.action === action) return error;
  return new ToolError(error.code, `fetch the model from "${label}": ${error.message}`, {
    cause: error,
    hint: error.hint,
  });
}
