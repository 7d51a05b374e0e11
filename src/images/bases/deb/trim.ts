const FOLDERS = [
  "usr/share/man/",
  "usr/share/info/",
  "usr/share/locale/",
  "usr/share/lintian/",
  "usr/share/bug/",
  "usr/share/doc-base/",
  "usr/share/menu/",
  "usr/share/bash-completion/",
  "usr/share/zsh/",
  "usr/share/fish/",
  "usr/share/applications/",
  "usr/share/pixmaps/",
  "usr/share/icons/",
];

/**
 * True for what nobody reads in a container: manuals, translations, desktop files, documentation. Copyright files stay,
 * as licences and scanners want them. `path` is relative to the root.
 */
export function isTrimmed(path: string): boolean {
  if (path.startsWith("usr/share/doc/")) return !isKeptDocumentation(path);
  return FOLDERS.some((folder) => path.startsWith(folder) || `${path}/` === folder);
}

/** `usr/share/doc/NAME` itself (a folder or a link to another package's) and `copyright` in it. */
function isKeptDocumentation(path: string): boolean {
  const parts = path.split("/");
  return parts.length === 4 || (parts.length === 5 && parts[4] === "copyright");
}
