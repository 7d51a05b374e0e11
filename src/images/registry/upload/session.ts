import type { Bytes, CallOptions } from "../../../ground/bytes/index.ts";
import type { Digest } from "../../oci/index.ts";
import { callRepository, nameOf, type RepositoryContext } from "../content/repository-context.ts";
import { repositoryScope } from "../auth/scope.ts";
import {
  type HttpBody,
  type HttpResponse,
  locationOf,
  protocolError,
} from "../../../ground/http/index.ts";
import type { ApiCall } from "../transport/create-transport.ts";

/** An upload that the registry has begun. Each answer replaces the location. */
export interface Session {
  readonly location: URL;
  /** Bytes that the registry has, as far as is known. */
  readonly offset: number;
  /** Smallest part that the registry takes, the last one excepted. 0: any. */
  readonly minChunk: number;
}

/** Content for one request. */
export interface Part {
  readonly content: Bytes;
  /** Bytes of this part; unknown goes out in HTTP's chunked encoding, without a range. */
  readonly size: number | undefined;
  readonly onSent: (bytes: number) => void;
}

/** Statuses of registries that do not tell what they have of an upload. */
const UNASKABLE: readonly number[] = [405, 501];

/** @see distribution-spec, end-4a */
export async function openSession(
  context: RepositoryContext,
  options: CallOptions,
): Promise<Session> {
  const action = pushAction(context);
  const response = await callRepository(context, {
    action,
    method: "POST",
    path: "/blobs/uploads/",
    access: "push",
    accept: [202],
    notFound: "REGISTRY_REFUSED",
    signal: options.signal,
  });
  await response.discard();
  return sessionOf(context, response, { action, offset: 0, minChunk: 0, signal: options.signal });
}

/** Sends one part at the session's offset. @see distribution-spec, end-5 */
export async function sendPart(
  context: RepositoryContext,
  session: Session,
  part: Part & CallOptions,
): Promise<Session> {
  const { offset, minChunk } = session;
  const { size, signal } = part;
  const action = pushAction(context);
  const range = size === undefined ? {} : { "content-range": `${offset}-${offset + size - 1}` };
  const response = await uploadCall(context, session, {
    method: "PATCH",
    headers: { "content-type": "application/octet-stream", ...range },
    body: streamOf(part),
    accept: [202, 204, 201],
    signal,
  });
  await response.discard();
  const next = await sessionOf(context, response, { action, offset: 0, minChunk, signal });
  const taken = endOfRange(response);
  const isOneByte = taken === 0 && size !== undefined && offset + size === 1;
  return { ...next, offset: isOneByte ? 1 : (taken ?? offset + (size ?? 0)) };
}

/**
 * What the registry has of a session; nothing when it knows it no more. One that does not tell has what it acknowledged last.
 * @see distribution-spec, end-13
 */
export async function askSession(
  context: RepositoryContext,
  session: Session,
  options: CallOptions,
): Promise<Session | undefined> {
  const response = await uploadCall(context, session, {
    method: "GET",
    accept: [204, 200, 202, 400, 404, ...UNASKABLE, 410, 416],
    signal: options.signal,
  });
  await response.discard();
  if (UNASKABLE.includes(response.status)) return session.offset > 0 ? session : undefined;
  if (response.status >= 400) return undefined;
  const location =
    response.header("location") === undefined
      ? session.location
      : locationOf(response, await originOf(context, options), pushAction(context));
  return { location, offset: endOfRange(response) ?? 0, minChunk: session.minChunk };
}

/**
 * Ends a session with the digest of the whole blob. The last part of the content may come with it.
 * @see distribution-spec, end-6
 */
export async function closeSession(
  context: RepositoryContext,
  session: Session,
  closing: { readonly digest: Digest; readonly part?: Part | undefined } & CallOptions,
): Promise<void> {
  const { digest, part, signal } = closing;
  const action = `push ${nameOf(context, `@${digest}`)}`;
  const location = new URL(session.location);
  // Appended by hand: parsing and printing the query again could change what the registry signed.
  location.search = `${location.search === "" ? "?" : `${location.search}&`}digest=${encodeURIComponent(digest)}`;
  const headers = part === undefined ? {} : { "content-type": "application/octet-stream" };
  const body = part === undefined ? {} : { body: streamOf(part) };
  const response = await uploadCall(
    context,
    { location },
    { action, method: "PUT", headers, ...body, accept: [201, 200, 204], signal },
  );
  await response.discard();
  const stored = response.header("docker-content-digest");
  if (stored !== undefined && stored !== digest && stored.split(":")[0] === digest.split(":")[0])
    throw protocolError(response, action, `stored the blob as "${stored.slice(0, 150)}"`);
  if (response.status !== 201 && !(await hasBlob(context, digest, { signal })))
    throw protocolError(response, action, `answered ${response.status}, and the blob is not there`);
}

/** Lets the registry forget a session. Best effort: registries clean up by themselves after some days. @see distribution-spec, end-14 */
export async function cancelSession(
  context: RepositoryContext,
  session: Pick<Session, "location">,
): Promise<void> {
  const response = await uploadCall(context, session, {
    method: "DELETE",
    accept: [204, 200, 202, 404, 405],
    signal: AbortSignal.timeout(5000),
    attempts: 1,
  }).catch(() => undefined); // best effort, as said above
  await response?.discard();
}

/** @see distribution-spec, end-2 */
export async function hasBlob(
  context: RepositoryContext,
  digest: Digest,
  options: CallOptions,
): Promise<HttpResponse | undefined> {
  const response = await callRepository(context, {
    action: `look for ${nameOf(context, `@${digest}`)}`,
    method: "HEAD",
    path: `/blobs/${digest}`,
    access: "pull",
    accept: [200, 404],
    signal: options.signal,
  });
  await response.discard();
  return response.status === 200 ? response : undefined;
}

/** Takes the location and the registry's wishes from an answer. */
export async function sessionOf(
  context: RepositoryContext,
  response: HttpResponse,
  known: {
    readonly action: string;
    readonly offset: number;
    readonly minChunk: number;
  } & CallOptions,
): Promise<Session> {
  const location = locationOf(response, await originOf(context, known), known.action);
  const minChunk = Number(response.header("oci-chunk-min-length") ?? known.minChunk);
  return {
    location,
    offset: known.offset,
    minChunk: Number.isSafeInteger(minChunk) && minChunk >= 0 ? minChunk : 0,
  };
}

/** `push "host/name"`, for messages. */
function pushAction(context: RepositoryContext): string {
  return `push a blob to ${nameOf(context)}`;
}

function uploadCall(
  context: RepositoryContext,
  session: Pick<Session, "location">,
  call: Omit<ApiCall, "target" | "scopes" | "repository" | "action"> & { readonly action?: string },
): Promise<HttpResponse> {
  return context.transport.call({
    action: pushAction(context),
    ...call,
    target: session.location,
    repository: context.name,
    scopes: [repositoryScope(context.name, "push")],
  });
}

function originOf(context: RepositoryContext, options: CallOptions): Promise<URL> {
  return context.transport.origin({ action: pushAction(context), signal: options.signal });
}

function streamOf({ content, size, onSent }: Part): HttpBody {
  return { kind: "stream", content, size, onSent };
}

/** One past the last byte that the registry has. `0-0` stands for nothing as well as for one byte; nothing is the safe reading. */
function endOfRange(response: HttpResponse): number | undefined {
  const match = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.header("range")?.trim() ?? "");
  if (match === null) return undefined;
  const last = Number(match[1]);
  return last === 0 ? 0 : last + 1;
}
