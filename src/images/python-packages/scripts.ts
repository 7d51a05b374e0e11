/**
 * Python source, one line, that puts a folder of packages on `sys.path` as a site directory: its `.pth` files run, and it comes
 * before the base's own packages but after the standard library. Works in a `.pth` file, a script or a program; a second run changes nothing.
 */
export function sitePathSource(sitePackages: string): string {
  const source = [
    "import sys, site",
    `folder = ${JSON.stringify(sitePackages)}`,
    "before = list(sys.path)",
    "folder in before or site.addsitedir(folder)",
    "added = [path for path in sys.path if path not in before]",
    'at = next((i for i, path in enumerate(before) if path.endswith("-packages")), len(before))',
    "sys.path[:] = before[:at] + added + before[at:]",
  ].join("\n");
  return `import sys; exec(${JSON.stringify(source)}, {})`; // names of its own: a .pth line runs where comprehensions see no locals
}

/** A script that calls what an entry point names. */
export interface EntryPoint {
  readonly name: string;
  readonly module: string;
  /** Attribute path inside the module, `main` or `cli.run`. */
  readonly attribute: string;
}

const IDENTIFIERS = /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u;

/** Reads the console and GUI scripts of an `entry_points.txt`; lines that name no Python object are left out. @see PyPA entry points specification */
export function parseEntryPoints(text: string): readonly EntryPoint[] {
  const found = new Map<string, EntryPoint>();
  let isScripts = false;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    const section = /^\[(.*)\]$/.exec(line)?.[1];
    if (section !== undefined)
      isScripts = section === "console_scripts" || section === "gui_scripts";
    const entry = isScripts ? parseEntryPoint(line) : undefined;
    if (entry !== undefined) found.set(entry.name, entry);
  }
  return [...found.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function parseEntryPoint(line: string): EntryPoint | undefined {
  const [, name = "", module = "", attribute = ""] =
    /^([^=[#;][^=]*?)\s*=\s*([^:\s]+)\s*:\s*([^\s[]+)\s*(?:\[.*\])?$/.exec(line) ?? [];
  return isFileName(name) && IDENTIFIERS.test(module) && IDENTIFIERS.test(attribute)
    ? { name, module, attribute }
    : undefined;
}

/** The text of an entry point's script: it finds its packages by itself, whatever `PYTHONPATH` says. */
export function entryPointScript(
  entry: EntryPoint,
  image: { readonly interpreter: string | undefined; readonly sitePackages: string },
): string {
  const first = entry.attribute.split(".")[0] ?? "";
  return [
    ...shebangLines(image.interpreter),
    sitePathSource(image.sitePackages),
    `from ${entry.module} import ${first}`,
    'if __name__ == "__main__":',
    `    sys.exit(${entry.attribute}())`,
    "",
  ].join("\n");
}

/**
 * Points a script at the image's Python where an installer has put this machine's: a first line with the path of a Python,
 * or the `/bin/sh` form for paths that are too long for it. Anything else comes back unchanged.
 */
export function repointScript(script: Buffer, interpreter: string | undefined): Buffer {
  const head = script.subarray(0, 4096).toString("latin1");
  const found =
    /^#!\/bin\/sh\n'''exec' .*python[^\n]*\n' '''\n/.exec(head) ??
    /^#!\s*"?\/[^\n]*\/python[0-9.]*w?"?[ \t]*\r?\n/.exec(head);
  if (found === null) return script;
  return Buffer.concat([
    Buffer.from(`${shebangLines(interpreter).join("\n")}\n`),
    script.subarray(Buffer.byteLength(found[0], "latin1")),
  ]);
}

/** Linux reads 127 bytes of a first line and splits it at the first space. */
function shebangLines(interpreter: string | undefined): readonly string[] {
  if (interpreter === undefined) return ["#!/usr/bin/env python3"];
  if (Buffer.byteLength(interpreter) <= 124 && !/\s/.test(interpreter)) return [`#!${interpreter}`];
  return ["#!/bin/sh", `'''exec' '${interpreter}' "$0" "$@"`, "' '''"];
}

function isFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name);
}
