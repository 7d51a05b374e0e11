import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { noFile, writeFileAtomic } from "../../ground/process/index.ts";
import { findToolFiles } from "../pack/tool-files.ts";
import type { Standpoint } from "../session.ts";

/** Where the old tools' names shall be. */
export interface OldToolsRequest {
  readonly folder: string;
  /** Replaces files that are there. Default false. */
  readonly isForced?: boolean | undefined;
  /** How this program is started, the program first. Default: `slipway` of PATH. */
  readonly command?: readonly string[] | undefined;
}

/** Names of the old tools. One file serves all: it looks at what it is called. */
const NAMES = [
  "uai_tool.py",
  "base_tool.py",
  "caffe_tool.py",
  "keras_tool.py",
  "mxnet_tool.py",
  "pytorch_tool.py",
  "tf_tool.py",
];

/**
 * Writes small Python files with the old tools' names, which hand over to this program, so that scripts that call them go on.
 * @returns paths of what was written.
 * @throws ToolError `USAGE` naming the files that are there already; `PROJECT_NOT_FOUND`.
 */
export async function writeOldTools(
  { folder, isForced, command = ["slipway"] }: OldToolsRequest,
  { cwd }: Standpoint,
): Promise<{ readonly files: readonly string[] }> {
  const root = resolve(cwd, folder);
  if ((await stat(root).catch(noFile))?.isDirectory() !== true)
    throw new ToolError("PROJECT_NOT_FOUND", `write the old tools: "${folder}" is not a folder`);
  const source = await readFile(
    join(findToolFiles().workerFolder, "old_tools", "old_tool.py"),
    "utf8",
  );
  const text = source.replace(/^COMMAND = .*$/m, () => `COMMAND = ${JSON.stringify(command)}`);
  const files = NAMES.map((name) => join(root, name));
  const there: string[] = [];
  for (const [index, path] of files.entries())
    if ((await stat(path).catch(noFile)) !== undefined) there.push(NAMES[index] ?? "");
  if (there.length > 0 && isForced !== true)
    throw new ToolError(
      "USAGE",
      `write the old tools: ${there.join(", ")} ${there.length === 1 ? "is" : "are"} there already`,
      { hint: "pass --force to replace them, or name another folder" },
    );
  for (const path of files) await writeFileAtomic(path, text);
  return { files };
}
