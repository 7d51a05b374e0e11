import type { OpenedPackage } from "./contracts.ts";

/** Packages whose scripts do nothing that a container misses, or whose effects are made by us. */
const KNOWN = new Set([
  "base-files",
  "ca-certificates",
  "dash",
  "bash",
  "debianutils",
  "libc-bin",
  "libc6",
  "netbase",
  "tzdata",
  "openssl",
  "coreutils",
  "readline-common",
  "libgssapi-krb5-2",
]);

const NEEDS: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\b(adduser|addgroup|useradd|groupadd|systemd-sysusers)\b/, what: "adds users" },
  { pattern: /\b(setcap|dpkg-statoverride)\b/, what: "sets special permissions" },
  {
    pattern:
      /\b(fc-cache|glib-compile-schemas|gdk-pixbuf-query-loaders|gtk-update-icon-cache|update-mime-database|locale-gen|update-ca-certificates)\b/,
    what: "builds a cache",
  },
  { pattern: /\bdpkg-divert\b.*--add/, what: "moves another package's file away" },
  { pattern: /update-alternatives\s+(?:\\\n\s*)?--install\s+\S*\$/, what: "computes alternatives" },
];

/** One sentence for each package whose maintainer script does something that is not done here. */
export function scriptNotes(packages: readonly OpenedPackage[]): readonly string[] {
  return packages.flatMap((item) => {
    if (KNOWN.has(item.name)) return [];
    const script = `${uncommented(item.scripts.get("preinst"))}\n${uncommented(item.scripts.get("postinst"))}`;
    const found = NEEDS.filter(({ pattern }) => pattern.test(script)).map(({ what }) => what);
    return found.length === 0
      ? []
      : [`the package "${item.name}" ${found.join(" and ")} in a script that is not run`];
  });
}

function uncommented(script: string | undefined): string {
  return (script ?? "").replace(/^\s*#.*$/gm, "");
}
