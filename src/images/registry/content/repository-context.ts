import type { CallOptions } from "../../../ground/bytes/index.ts";
import { repositoryScope, type Access } from "../auth/scope.ts";
import type { HttpResponse } from "../../../ground/http/index.ts";
import type { ApiCall, Transport } from "../transport/create-transport.ts";
import type { Counters } from "../transport/stats.ts";

/** What the parts of a repository share. */
export interface RepositoryContext {
  readonly registry: string;
  readonly name: string;
  readonly transport: Transport;
  /** Asked before the registry itself when something is read; each knows which host it stands in for. */
  readonly mirrors: readonly Transport[];
  readonly counters: Counters;
  /** Connections that large blobs come over now, of all repositories of the registry. */
  readonly large: { count: number };
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A call on a repository; `path` is what follows its name. */
export type RepositoryCall = Omit<ApiCall, "scopes" | "repository" | "target"> & {
  readonly path: string;
  readonly access: Access;
};

/** Calls the registry itself. */
export function callRepository(
  context: RepositoryContext,
  call: RepositoryCall,
): Promise<HttpResponse> {
  return context.transport.call(apiCallOf(context, call));
}

/** Asks the mirrors first, in order; whatever keeps a mirror from answering, the next is asked, and the registry at last. */
export async function readRepository(
  context: RepositoryContext,
  call: RepositoryCall,
): Promise<HttpResponse> {
  for (const mirror of context.mirrors) {
    const separator = call.path.includes("?") ? "&" : "?";
    const response = await mirror
      .call({
        ...apiCallOf(context, call),
        target: `/v2/${context.name}${call.path}${separator}ns=${encodeURIComponent(context.registry)}`,
        attempts: 2,
      })
      .catch(passOver(call));
    if (response !== undefined && response.status !== 404) return response;
    await response?.discard();
  }
  return callRepository(context, call);
}

/** `"host/name"` with a tag or digest, for messages. */
export function nameOf(context: Pick<RepositoryContext, "registry" | "name">, rest = ""): string {
  return `"${context.registry}/${context.name}${rest}"`;
}

function apiCallOf(context: RepositoryContext, { path, access, ...call }: RepositoryCall): ApiCall {
  return {
    ...call,
    target: `/v2/${context.name}${path}`,
    repository: context.name,
    scopes: [repositoryScope(context.name, access)],
  };
}

function passOver(options: CallOptions): (error: unknown) => undefined {
  return (error) => {
    // The registry itself is asked next; only an abort ends it here.
    if (options.signal?.aborted === true) throw error;
    return undefined;
  };
}
