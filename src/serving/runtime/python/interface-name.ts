import { ToolError } from "../../../ground/errors/index.ts";
import type { CodeEntry } from "../../../models/description/index.ts";

/**
 * Reads the name that Seldon's command line takes: `Name` is class Name of module Name, `pkg.mod.Class` is split at the last dot.
 * @throws ToolError `USAGE` when it is no dotted name.
 */
export function parseInterfaceName(text: string): CodeEntry {
  if (!/^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(text)) {
    throw new ToolError("USAGE", `read the class "${text}": it is no dotted name`, {
      hint: 'give it as "Model" or "package.module.Class"',
    });
  }
  const parts = text.split(".");
  const name = parts.at(-1) ?? text;
  const module = parts.length === 1 ? parts : parts.slice(0, -1);
  return { file: `${module.join("/")}.py`, name, language: "python" };
}
