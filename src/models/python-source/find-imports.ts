import { codeLines } from "./code-lines.ts";

/** A module that a source imports. */
export interface PythonImport {
  /** Whole, such as `os.path`; relative ones begin with dots. */
  readonly module: string;
  /** What `from … import` names; each may be a module too. */
  readonly names: readonly string[];
  /** From 1. */
  readonly line: number;
  /** True where it runs whenever the file is imported, and nothing catches its failure. */
  readonly isCertain: boolean;
}

interface Statement {
  readonly line: number;
  readonly indent: number;
  readonly code: string;
}

/** The imports of a Python source, by reading it. What stands in texts and comments is none; `__import__` and importlib are not followed. */
export function findImports(source: string): readonly PythonImport[] {
  const blocks: { readonly indent: number; readonly head: string }[] = [];
  const found: PythonImport[] = [];
  for (const { line, indent, code } of statements(source)) {
    while (blocks.length > 0 && indent <= (blocks.at(-1)?.indent ?? 0)) blocks.pop();
    const isCertain = blocks.length === 0;
    for (const part of code.split(";"))
      for (const one of importsIn(part.trim())) found.push({ ...one, line, isCertain });
    const head = /^(?:async\s+)?(\w+)\b.*:\s*$/s.exec(code)?.[1];
    if (head !== undefined) blocks.push({ indent, head });
  }
  return found;
}

function importsIn(code: string): readonly Pick<PythonImport, "module" | "names">[] {
  const [, from, names = ""] = /^from\s+([.\w]+)\s+import\s*(.+)$/s.exec(code) ?? [];
  if (from !== undefined)
    return [
      {
        module: from,
        names: names
          .replaceAll(/[()]/g, " ")
          .split(",")
          .map((name) => /^\s*(\w+)/.exec(name)?.[1] ?? "")
          .filter((name) => name !== ""),
      },
    ];
  const list = /^import\s+(.+)$/s.exec(code)?.[1] ?? "";
  return list
    .split(",")
    .map((name) => /^\s*([\w.]+)/.exec(name)?.[1] ?? "")
    .filter((name) => name !== "")
    .map((module) => ({ module, names: [] }));
}

/** Statements with what brackets and backslashes join on one line. */
function statements(source: string): readonly Statement[] {
  const joined: { line: number; indent: number; code: string }[] = [];
  for (const { line, code, indent } of codeLines(source)) {
    const part = code.replace(/\\$/, " ").trim();
    const last = joined.at(-1);
    if (indent !== undefined) joined.push({ line, indent: indent.length, code: part });
    else if (last !== undefined && part !== "") last.code += ` ${part}`;
  }
  return joined;
}
