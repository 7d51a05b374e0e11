/** A file and those that its import statements name, all the way. */
export function loadedBy(
  name: string,
  texts: ReadonlyMap<string, string>,
  seen: Set<string> = new Set<string>(),
): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, from = ""] of (texts.get(name) ?? "").matchAll(
    /(?:\bfrom ?|\bimport ?)"\.\/([^"]+)"/g,
  ))
    loadedBy(from, texts, seen);
  return seen;
}
