import type { CodeEntry } from "./description.ts";

/**
 * How Seldon's command line and `MODEL_NAME` call a class: `Name` for class Name of module Name, else `package.module.Class`. The name of a
 * file that is no module name stands there all the same.
 */
export function interfaceNameOf({ file, name }: CodeEntry): string {
  const module = file.replace(/\.[^./]+$/, "").replaceAll("/", ".");
  return module === name ? name : `${module}.${name}`;
}
