/** Ways that lead to a package, each a list of markers that all have to hold. A way without markers always holds. */
export type MarkerWays = readonly (readonly string[])[];

/** More ways than that say nothing that anybody could read. */
const MAX_WAYS = 64;

/** One marker for several ways; `undefined` where the package is always wanted. */
export function eitherMarker(ways: MarkerWays): string | undefined {
  if (ways.length === 0 || ways.length > MAX_WAYS || ways.some((way) => way.length === 0))
    return undefined;
  const [only, ...others] = ways.map(allOf);
  return others.length === 0 ? only : [only, ...others].map((one) => `(${one})`).join(" or ");
}

function allOf(way: readonly string[]): string {
  const [only, ...others] = way;
  return others.length === 0
    ? (only ?? "")
    : way.map((marker) => (marker.includes(" or ") ? `(${marker})` : marker)).join(" and ");
}
