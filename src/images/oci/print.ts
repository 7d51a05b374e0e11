import type { Descriptor } from "./descriptor.ts";

/** A descriptor with its keys in the order in which this project prints them, and nothing else. */
export function printableDescriptor(descriptor: Descriptor): Descriptor {
  const { mediaType, digest, size, urls, artifactType, platform, annotations } = descriptor;
  return {
    mediaType,
    digest,
    size,
    ...(urls === undefined ? {} : { urls }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(platform === undefined ? {} : { platform }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** A map with its keys sorted by UTF-16 code units, or `undefined` when it is empty. */
export function printableMap(
  map: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
