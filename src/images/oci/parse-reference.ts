import { ToolError } from "../../ground/errors/index.ts";
import type { Digest } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import type { Reference } from "./reference.ts";

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const HOST =
  /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)(?::[0-9]{1,5})?$/;
const MAX_LENGTH = 1024;

/**
 * Reads an image name as Docker does: a first part with a dot, a port or the name `localhost` is a host; without one it is
 * Docker Hub, where names of one part live below `library/`. Neither tag nor digest is made up.
 * @throws ToolError `REFERENCE_INVALID`. @see distribution-spec, spec.md#pulling-manifests
 */
export function parseReference(text: string): Reference {
  if (text === "" || text.length > MAX_LENGTH)
    throw invalidReference(
      text,
      text === "" ? "it is empty" : `it is longer than ${MAX_LENGTH} characters`,
    );
  const [name, digest] = splitDigest(text);
  const { registry, rest } = splitHost(name);
  const [path, tag] = splitTag(text, rest);
  const repository = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  if (!REPOSITORY.test(repository)) throw invalidReference(text, repositoryProblem(path));
  if (registry.length + 1 + repository.length > 255)
    throw invalidReference(text, "host and repository are longer than 255 characters");
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The name in full; `parseReference` of it gives the same reference. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

/** True for a legal repository path, such as `team/iris`. */
export function isRepository(text: string): boolean {
  return text.length <= 255 && REPOSITORY.test(text);
}

/** True for a legal tag. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

function splitDigest(text: string): [name: string, digest: Digest | undefined] {
  const at = text.indexOf("@");
  if (at < 0) return [text, undefined];
  const digest = text.slice(at + 1);
  if (!isDigest(digest)) throw invalidReference(text, `"${digest.slice(0, 150)}" is not a digest`);
  return [text.slice(0, at), digest];
}

function splitTag(text: string, rest: string): [path: string, tag: string | undefined] {
  const colon = rest.indexOf(":");
  if (colon < 0) return [rest, undefined];
  const tag = rest.slice(colon + 1);
  if (!TAG.test(tag)) throw invalidReference(text, `"${tag.slice(0, 150)}" is not a tag`);
  return [rest.slice(0, colon), tag];
}

function splitHost(text: string): { readonly registry: string; readonly rest: string } {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const isHost =
    first !== "" && (/[.:[]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  if (!isHost) return { registry: "docker.io", rest: text };
  return { registry: parseHost(text, first), rest: text.slice(slash + 1) };
}

function parseHost(text: string, host: string): string {
  const port = Number(/:(\d+)$/.exec(host)?.[1] ?? 0);
  if (!HOST.test(host) || port > 65_535)
    throw invalidReference(text, `"${host.slice(0, 150)}" is not a host`);
  // A name without dot or port is a host only because of its capitals; without them it would be a part of the repository.
  const registry = /[.:]/.test(host) ? host.toLowerCase() : host;
  return registry === "index.docker.io" || registry === "registry-1.docker.io"
    ? "docker.io"
    : registry;
}

function repositoryProblem(path: string): string {
  if (path === "") return "the repository is empty";
  if (path !== path.toLowerCase()) return `the repository "${path}" has upper-case letters`;
  return `"${path}" is not a repository: letters, digits and single . _ - between them, parts joined by /`;
}

function invalidReference(text: string, why: string): ToolError {
  return new ToolError("REFERENCE_INVALID", `parse image name "${text.slice(0, 300)}": ${why}`, {
    hint: "write it as host/repository:tag or host/repository@sha256:…",
  });
}
