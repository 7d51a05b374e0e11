import { parseLocation } from "../../images/copy/index.ts";

/** The registries among names of images; what is no name in a registry has none. */
export function registriesIn(names: readonly (string | undefined)[]): readonly string[] {
  const found = names.flatMap((name) => {
    if (name === undefined) return [];
    // `HOST/` is a whole registry.
    const location = parseLocation(name.replace(/^([^/]+)\/$/, "$1/any"));
    return location.kind === "registry" ? [location.reference.registry] : [];
  });
  return [...new Set(found)];
}
