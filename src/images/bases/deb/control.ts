import type { InstalledPackage } from "../contracts.ts";

/** One way to satisfy a dependency. Versions are not kept: apt has seen to them. */
export type Alternatives = readonly string[];

/** Reads a control file: fields by lower-case name, continuation lines joined with blanks. */
export function parseControl(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let name = "";
  for (const line of text.split("\n")) {
    if (/^[ \t]/.test(line)) {
      if (name !== "") fields.set(name, `${fields.get(name) ?? ""} ${line.trim()}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    name = line.slice(0, colon).toLowerCase();
    fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}

/** Reads a relation field such as `Depends`: what must be there, each as names of which one is enough. */
export function parseRelations(text: string | undefined): readonly Alternatives[] {
  return (text ?? "")
    .split(",")
    .map((part) =>
      part.split("|").map((choice) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(choice)?.[1] ?? ""),
    )
    .map((names) => names.filter((name) => name !== ""))
    .filter((names) => names.length > 0);
}

/** Names in a relation field, all alternatives alike. */
export function relationNames(text: string | undefined): readonly string[] {
  return parseRelations(text).flat();
}

/** Packages that a dpkg status file has as installed. */
export function readInstalled(status: string): readonly InstalledPackage[] {
  return status.split(/\n\n+/).flatMap((stanza) => {
    const fields = parseControl(stanza);
    const [name, version, architecture, provides] = [
      "package",
      "version",
      "architecture",
      "provides",
    ].map((field) => fields.get(field));
    const isInstalled =
      fields.get("status") === undefined || fields.get("status")?.endsWith(" installed") === true;
    if (name === undefined || version === undefined || architecture === undefined || !isInstalled)
      return [];
    return [{ name, version, architecture, ...(provides === undefined ? {} : { provides }) }];
  });
}
