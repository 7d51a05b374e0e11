/** Values of the parameters of a path, percent-decoded. */
export type PathParameters = Readonly<Record<string, string>>;

/** What a path leads to. */
interface RouteMatch<R> {
  readonly route: R;
  readonly params: PathParameters;
}

/** Finds routes by path. */
export interface RouteTable<R> {
  /** The path as it came, without its query. */
  find(path: string): RouteMatch<R> | undefined;
  /** All patterns, in the order of the table. */
  readonly patterns: readonly string[];
}

interface Pattern<R> {
  readonly route: R;
  readonly expression: RegExp;
  readonly names: readonly string[];
  /** Characters that are no parameter: the pattern with most of them wins. */
  readonly weight: number;
}

const NO_PARAMETERS: PathParameters = Object.freeze({});
const PARAMETER = /\{([A-Za-z][A-Za-z0-9]*)\}/g;

/**
 * Patterns are paths in which `{name}` stands for one or more characters of a single segment: `/v2/models/{name}/infer`,
 * `/v1/models/{name}:predict`. A segment has one parameter at most. Paths without parameters are found first and by one look-up; among
 * patterns the one with the longest text beside its parameters wins. An encoded slash is part of a value, not of the path.
 * @throws Error for a pattern that cannot be read, which is a mistake of ours
 */
export function createRouteTable<R>(routes: ReadonlyMap<string, R>): RouteTable<R> {
  const exact = new Map<string, RouteMatch<R>>();
  const bySegments = new Map<number, Pattern<R>[]>();
  for (const [path, route] of routes) {
    if (!path.includes("{")) {
      exact.set(path, { route, params: NO_PARAMETERS });
      continue;
    }
    const pattern = compilePattern(path, route);
    const count = segmentsIn(path);
    bySegments.set(
      count,
      [...(bySegments.get(count) ?? []), pattern].sort((one, other) => other.weight - one.weight),
    );
  }
  const search = (path: string): RouteMatch<R> | undefined => {
    for (const { route, expression, names } of bySegments.get(segmentsIn(path)) ?? []) {
      const found = expression.exec(path);
      const params = found === null ? undefined : decodeAll(names, found);
      if (params !== undefined) return { route, params };
    }
    return undefined;
  };
  return {
    find: (path) => exact.get(path) ?? (bySegments.size === 0 ? undefined : search(path)),
    patterns: [...routes.keys()],
  };
}

function compilePattern<R>(path: string, route: R): Pattern<R> {
  const names: string[] = [];
  const segments = path.split("/").map((segment) => {
    const found = [...segment.matchAll(PARAMETER)];
    const rest = segment.replaceAll(PARAMETER, "");
    if (found.length > 1 || /[{}]/.test(rest))
      throw new Error(`the route "${path}" has a segment that cannot be read: "${segment}"`);
    const [parameter] = found;
    if (parameter === undefined) return escapeText(segment);
    names.push(parameter[1] ?? "");
    const [before = "", after = ""] = segment.split(parameter[0]);
    return `${escapeText(before)}([^/]+)${escapeText(after)}`;
  });
  return {
    route,
    names,
    expression: new RegExp(`^${segments.join("/")}$`),
    weight: path.replaceAll(PARAMETER, "").length,
  };
}

function escapeText(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Undefined when a value is not UTF-8. */
function decodeAll(names: readonly string[], found: RegExpExecArray): PathParameters | undefined {
  const values: Record<string, string> = {};
  try {
    for (const [index, name] of names.entries())
      values[name] = decodeURIComponent(found[index + 1] ?? "");
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return undefined;
  }
  return values;
}

function segmentsIn(path: string): number {
  let count = 0;
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) count += 1;
  return count;
}
