import { RegistryError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { Descriptor, Reference } from "../../oci/index.ts";
import { repositoryScope } from "../auth/scope.ts";
import { nameOf } from "../content/repository-context.ts";
import type { HttpResponse } from "../../../ground/http/index.ts";
import { cancelSession, sessionOf } from "./session.ts";
import type { UploadContext } from "./upload-context.ts";

/** Answers to a mount that mean no more than "not from there". */
const REFUSALS: ReadonlySet<string> = new Set([
  "REGISTRY_UNAUTHORIZED",
  "REGISTRY_DENIED",
  "REGISTRY_REFUSED",
]);

/**
 * Mounts a blob from another repository of the same registry. A registry may refuse, for instance
 * when the other repository is private: then the content is sent, and that request shows whether
 * the account may push.
 * @see distribution-spec, end-11
 */
export async function mount(
  context: UploadContext,
  { target, from }: { readonly target: Descriptor; readonly from: Reference },
  options: CallOptions,
): Promise<boolean> {
  if (
    from.registry !== context.registry ||
    from.repository === context.name ||
    !context.uploads.quirks.canMount
  )
    return false;
  const { signal } = options;
  const action = `mount a blob of "${from.repository}" in ${nameOf(context)}`;
  const response = await askToMount(context, { target, from, action, signal });
  if (response?.status === 201) {
    context.counters.blobsMounted += 1;
    return true;
  }
  context.places.forget(target.digest, from.repository);
  if (response === undefined) return false;
  // The registry has begun an upload instead; the one that follows takes it over.
  const earlier = context.spare.get(target.digest);
  context.spare.set(
    target.digest,
    await sessionOf(context, response, { action, offset: 0, minChunk: 0, signal }),
  );
  if (earlier !== undefined) await cancelSession(context, earlier);
  return false;
}

/** @returns nothing when the registry refused. */
async function askToMount(
  context: UploadContext,
  {
    target,
    from,
    action,
    signal,
  }: {
    readonly target: Descriptor;
    readonly from: Reference;
    readonly action: string;
  } & CallOptions,
): Promise<HttpResponse | undefined> {
  try {
    const response = await context.transport.call({
      action,
      method: "POST",
      target: `/v2/${context.name}/blobs/uploads/?mount=${encodeURIComponent(target.digest)}&from=${encodeURIComponent(from.repository)}`,
      scopes: [repositoryScope(context.name, "push"), repositoryScope(from.repository, "pull")],
      repository: context.name,
      accept: [201, 202],
      signal,
    });
    await response.discard();
    return response;
  } catch (error) {
    if (!(error instanceof RegistryError) || !REFUSALS.has(error.code)) throw error;
    return undefined;
  }
}

/** Other repositories of the registry that are believed to have the blob. */
export async function mountSources(
  context: UploadContext,
  target: Descriptor,
): Promise<readonly Reference[]> {
  const repositories = await context.places.repositoriesOf(target.digest);
  return repositories
    .filter((repository) => repository !== context.name)
    .map((repository) => ({ registry: context.registry, repository }));
}
