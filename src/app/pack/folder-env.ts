import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { environmentOfDockerfile } from "../../images/dockerfile/index.ts";
import { isContainerVariable, parseEnvironmentFile } from "../../models/description/index.ts";
import type { WalkedFile } from "../../images/pack/index.ts";

/** What a folder that was made for Seldon's builders says of its container. */
export interface FolderEnv {
  /** As `code:` of the project file has it; absent when no class is named, or none that is there. */
  readonly code?: string;
  /** Absent when not said. */
  readonly service?: string;
  /** Everything else. */
  readonly env: Readonly<Record<string, string>>;
  /** Files that it was read from. */
  readonly sources: readonly string[];
}

const FILES = [
  ["Dockerfile", containerEnvironment],
  [".s2i/environment", parseEnvironmentFile],
] as const;
const MAX_BYTES = 2 ** 20;

function containerEnvironment(text: string): Readonly<Record<string, string>> {
  const all = Object.entries(environmentOfDockerfile(text));
  return Object.fromEntries(all.filter(([name]) => isContainerVariable(name)));
}

/** Reads `ENV` of the folder's Dockerfile, and `.s2i/environment`, which wins. No step of a Dockerfile is run. */
export async function readFolderEnv(
  root: string,
  files: readonly Pick<WalkedFile, "path">[],
): Promise<FolderEnv> {
  let all: Readonly<Record<string, string>> = {};
  const sources: string[] = [];
  for (const [name, parse] of FILES) {
    const path = join(root, name);
    const stats = await stat(path).catch(noFile);
    if (stats?.isFile() !== true || stats.size > MAX_BYTES) continue;
    const found = parse(await readFile(path, "utf8"));
    if (Object.keys(found).length > 0) sources.push(name);
    all = { ...all, ...found };
  }
  const { MODEL_NAME: model, SERVICE_TYPE: service, ...env } = all;
  const code = model === undefined ? undefined : codeOf(model, files);
  return {
    env,
    sources,
    ...(code !== undefined && { code }),
    ...(service !== undefined && { service }),
  };
}

/** The file of `Name` or `package.module.Class`, and the class. */
function codeOf(model: string, files: readonly Pick<WalkedFile, "path">[]): string | undefined {
  const parts = model.split(".");
  const name = parts.at(-1) ?? "";
  const module = parts.length === 1 ? name : parts.slice(0, -1).join("/");
  const found = files.find(
    ({ path }) => path.replace(/\.(?:py|[mc]?[jt]s)$/, "") === module && !path.endsWith(module),
  );
  return found === undefined ? undefined : `${found.path}:${name}`;
}
