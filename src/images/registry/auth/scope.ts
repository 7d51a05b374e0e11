/** A right to ask a token for. @see distribution, docs/content/spec/auth/scope.md */
export interface Scope {
  readonly resource: string;
  /** Sorted, each once. */
  readonly actions: readonly string[];
}

/** What is done to a repository. */
export type Access = "pull" | "push" | "delete";

/** The scope for one repository; to push includes to pull. */
export function repositoryScope(repository: string, access: Access): Scope {
  return {
    resource: `repository:${repository}`,
    actions:
      access === "push" ? ["pull", "push"] : access === "delete" ? ["delete", "pull"] : ["pull"],
  };
}

/** The scope for the list of repositories. */
export const CATALOG_SCOPE: Scope = { resource: "registry:catalog", actions: ["*"] };

/** Reads scopes as a challenge writes them, separated by spaces. */
export function parseScopes(text: string): readonly Scope[] {
  return text
    .split(/\s+/)
    .filter((part) => part.includes(":"))
    .map((part) => ({
      resource: part.slice(0, part.lastIndexOf(":")),
      actions: part
        .slice(part.lastIndexOf(":") + 1)
        .split(",")
        .filter((action) => action !== "")
        .sort(),
    }));
}

/** `repository:team/iris:pull,push`. */
export function formatScope(scope: Scope): string {
  return `${scope.resource}:${scope.actions.join(",")}`;
}

/** Joins scopes of the same resource; the order of first mention stays, since some servers read only the first. */
export function mergeScopes(scopes: readonly Scope[]): readonly Scope[] {
  const merged = new Map<string, Set<string>>();
  for (const { resource, actions } of scopes)
    merged.set(resource, new Set([...(merged.get(resource) ?? []), ...actions]));
  return [...merged].map(([resource, actions]) => ({ resource, actions: [...actions].sort() }));
}

/** True when everything in `wanted` is in `granted`. */
export function covers(granted: readonly Scope[], wanted: readonly Scope[]): boolean {
  return wanted.every(({ resource, actions }) =>
    granted.some(
      (scope) =>
        scope.resource === resource && actions.every((action) => scope.actions.includes(action)),
    ),
  );
}
