import { createHash, randomUUID, type Hash } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { readRange, writeBehind, type Bytes, type CallOptions } from "../../ground/bytes/index.ts";
import { explainWriteError, noFile, writeFileAtomic } from "../../ground/process/index.ts";
import { parseDigest, type Digest } from "../oci/index.ts";
import { Fault } from "./fault.ts";

/** One unfinished upload. */
export interface UploadSession {
  readonly id: string;
  readonly name: string;
  /** Algorithm that the client announced; the closing digest may still use another one. */
  readonly algorithm: HashAlgorithm;
}

export type HashAlgorithm = "sha256" | "sha512";

/** What one request adds to a session. */
interface AppendOptions extends CallOptions {
  /** Where the client says its bytes belong. Absent: at the end. */
  readonly start?: number | undefined;
}

/**
 * Unfinished uploads, on disk, so that they survive a restart of the registry: a folder per session, in which the
 * length of one file is the offset. While the process lives the hash runs along with the bytes; after a restart, or
 * after a request that broke off, the file is hashed again when the upload is closed.
 */
export interface UploadSessions {
  /** @throws Fault `TOOMANYREQUESTS` when there are too many. */
  create(name: string, algorithm: HashAlgorithm): Promise<UploadSession>;
  /** @throws Fault `BLOB_UPLOAD_UNKNOWN`, also when the session belongs to another repository. */
  find(name: string, id: string): Promise<UploadSession>;
  /** Bytes received so far. */
  offset(session: UploadSession): Promise<number>;
  /**
   * Adds bytes; what came before an error stays. A request that is still adding is ended first: it is most likely the
   * dead connection of the client that comes back now. @returns the new offset. @throws Fault with status 416 when
   * `start` is not the end.
   */
  append(session: UploadSession, content: Bytes, options?: AppendOptions): Promise<number>;
  /** Digest of all bytes. @returns it and the file that holds them. */
  seal(
    session: UploadSession,
    algorithm: HashAlgorithm,
  ): Promise<{ readonly digest: Digest; readonly path: string; readonly size: number }>;
  remove(session: UploadSession): Promise<void>;
  /** Removes uploads that nobody has gone on with for a long time. @returns how many are left. */
  sweep(): Promise<number>;
}

export interface UploadSessionsOptions {
  readonly folder: string;
  readonly maxSessions: number;
  readonly maxIdleMs: number;
}

interface Running {
  readonly hash: Hash;
  readonly algorithm: HashAlgorithm;
  size: number;
}

interface SessionState {
  readonly options: UploadSessionsOptions;
  /** Hashes that run along, by session. */
  readonly running: Map<string, Running>;
  /** Requests that use a session, and how to end them. */
  readonly busy: Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>;
}

/** Opens the folder of sessions. Touches no disk before the first call. */
export function createUploadSessions(options: UploadSessionsOptions): UploadSessions {
  const state: SessionState = { options, running: new Map(), busy: new Map() };
  return {
    create: (name, algorithm) => create(state, name, algorithm),
    find: (name, id) => find(state, name, id),
    offset: (session) => offsetOf(state, session),
    append: (session, content, appendOptions = {}) =>
      exclusively(state, session, (stop) =>
        append(state, session, { ...appendOptions, content, stop }),
      ),
    seal: (session, algorithm) =>
      exclusively(state, session, () => seal(state, session, algorithm)),
    async remove(session) {
      state.running.delete(session.id);
      await rm(folderOf(state, session.id), { recursive: true, force: true });
    },
    sweep: () => sweep(state),
  };
}

async function create(
  state: SessionState,
  name: string,
  algorithm: HashAlgorithm,
): Promise<UploadSession> {
  await makeRoom(state);
  const session: UploadSession = { id: randomUUID(), name, algorithm };
  const folder = folderOf(state, session.id);
  try {
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(dataFileOf(state, session.id), "");
    await writeFileAtomic(join(folder, "session.json"), JSON.stringify(session));
  } catch (error) {
    // What made the writing fail says more than that its rest stays.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw explainWriteError(error, folder);
  }
  state.running.set(session.id, { hash: createHash(algorithm), algorithm, size: 0 });
  return session;
}

async function makeRoom(state: SessionState): Promise<void> {
  const { folder, maxSessions } = state.options;
  if (((await readdir(folder).catch(noFile)) ?? []).length < maxSessions) return;
  const count = await sweep(state);
  if (count >= maxSessions)
    throw new Fault(429, "TOOMANYREQUESTS", {
      message: `there are ${count} unfinished uploads already`,
      headers: { "Retry-After": "60" },
    });
}

async function sweep(state: SessionState): Promise<number> {
  const { folder, maxIdleMs } = state.options;
  const ids = (await readdir(folder).catch(noFile)) ?? [];
  let count = ids.length;
  for (const id of ids) {
    const stats =
      (await stat(join(folder, id, "data")).catch(noFile)) ??
      (await stat(join(folder, id)).catch(noFile));
    if (stats === undefined || state.busy.has(id) || Date.now() - stats.mtimeMs <= maxIdleMs)
      continue;
    await rm(join(folder, id), { recursive: true, force: true });
    state.running.delete(id);
    count -= 1;
  }
  return count;
}

async function find(state: SessionState, name: string, id: string): Promise<UploadSession> {
  const text = await readFile(join(folderOf(state, id), "session.json"), "utf8").catch(
    () => undefined,
  );
  if (text === undefined) throw unknownUpload(id);
  // Written by `create`, whole or not at all.
  const session = JSON.parse(text) as UploadSession;
  if (session.name !== name) throw unknownUpload(id);
  return session;
}

async function offsetOf(state: SessionState, session: UploadSession): Promise<number> {
  const stats = await stat(dataFileOf(state, session.id)).catch(noFile);
  if (stats === undefined) throw unknownUpload(session.id);
  return stats.size;
}

async function append(
  state: SessionState,
  session: UploadSession,
  options: AppendOptions & { readonly content: Bytes; readonly stop: AbortSignal },
): Promise<number> {
  const path = dataFileOf(state, session.id);
  const position = await offsetOf(state, session);
  const { start, stop } = options;
  const signal = options.signal === undefined ? stop : AbortSignal.any([options.signal, stop]);
  if (start !== undefined && start !== position) throw outOfOrder(start, position);
  const running = state.running.get(session.id);
  // Bytes may reach the hash and not the file when the request breaks off; then the file is hashed again in the end.
  state.running.delete(session.id);
  const follow = running?.size === position ? running : undefined;
  try {
    await using file = await open(path, "r+");
    const written = await writeBehind(file, untilAborted(options.content, signal), {
      position,
      signal,
      onChunk: (chunk) => void follow?.hash.update(chunk),
    });
    if (follow !== undefined)
      state.running.set(session.id, Object.assign(follow, { size: position + written }));
    return position + written;
  } catch (error) {
    throw explainWriteError(error, path);
  }
}

async function seal(
  state: SessionState,
  session: UploadSession,
  algorithm: HashAlgorithm,
): Promise<{ readonly digest: Digest; readonly path: string; readonly size: number }> {
  const path = dataFileOf(state, session.id);
  const size = await offsetOf(state, session);
  const running = state.running.get(session.id);
  state.running.delete(session.id);
  const hash =
    running?.algorithm === algorithm && running.size === size
      ? running.hash
      : await hashFile(path, algorithm);
  return { digest: parseDigest(`${algorithm}:${hash.digest("hex")}`), path, size };
}

async function hashFile(path: string, algorithm: HashAlgorithm): Promise<Hash> {
  const hash = createHash(algorithm);
  await using file = await open(path, "r");
  for await (const chunk of readRange(file, {
    start: 0,
    end: Number.MAX_SAFE_INTEGER,
    transient: true,
  }))
    hash.update(chunk);
  return hash;
}

/** Runs a task alone on its session; whoever came before is told to stop, and waited for. */
async function exclusively<T>(
  state: SessionState,
  session: UploadSession,
  task: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  for (
    let before = state.busy.get(session.id);
    before !== undefined;
    before = state.busy.get(session.id)
  ) {
    before.stop.abort(
      new Fault(409, "BLOB_UPLOAD_INVALID", {
        message: "another request has taken this upload over",
      }),
    );
    await before.ended;
  }
  const stop = new AbortController();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  state.busy.set(session.id, { stop, ended });
  try {
    return await task(stop.signal);
  } finally {
    state.busy.delete(session.id);
    resolve();
  }
}

/** Passes bytes on and ends at once with the signal's reason, also while the sender is silent. */
async function* untilAborted(
  content: Bytes,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = content[Symbol.asyncIterator]();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => undefined); // seen in the race; until then it must not count as unhandled
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Not awaited: a generator that waits for a silent sender ends only when the connection does.
    // How it ends is nobody's concern: the bytes that count have been passed on.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

function folderOf(state: SessionState, id: string): string {
  return join(state.options.folder, id);
}

function dataFileOf(state: SessionState, id: string): string {
  return join(folderOf(state, id), "data");
}

function unknownUpload(id: string): Fault {
  return new Fault(404, "BLOB_UPLOAD_UNKNOWN", { message: `no such upload: "${id}"` });
}

function outOfOrder(start: number, position: number): Fault {
  return new Fault(416, "BLOB_UPLOAD_INVALID", {
    message: `the chunk begins at byte ${start}, but the upload has ${position} bytes`,
    headers: { Range: rangeOf(position) },
  });
}

/** The `Range` header of an upload: inclusive, and `0-0` for an empty one, as every registry writes it. */
export function rangeOf(offset: number): string {
  return `0-${Math.max(0, offset - 1)}`;
}
