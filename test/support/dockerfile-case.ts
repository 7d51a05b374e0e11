import {
  chmod,
  link,
  lstat,
  mkdir,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";

/** What a file of a case holds: text, bytes, a link, or `null` for an empty folder. */
type CaseFile =
  | string
  | null
  | {
      readonly text?: string;
      readonly base64?: string;
      readonly gzip?: string;
      readonly link?: string;
      readonly executable?: true;
    };

/** Something that is done to the files before a build. */
interface SetupStep {
  readonly op: string;
  readonly path: string;
  readonly mode?: string;
  readonly to?: string;
  readonly text?: string;
  readonly hex?: string;
}

/** A Dockerfile with its context, and what BuildKit makes of it. */
export interface DockerfileCase {
  readonly id: string;
  readonly title?: string;
  readonly files: Readonly<Record<string, CaseFile>>;
  readonly dockerfile?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly setup?: readonly SetupStep[];
  readonly platform?: string;
  /** An image whose files are in the result too, unless `tree` says otherwise. */
  readonly base?: string;
  /** `TYPE MODE UID:GID …` by path; `gone` for a file of the base that is not there. */
  readonly tree?: Readonly<Record<string, string>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly line?: number; readonly words?: readonly string[] };
}

/** Writes a case's files below a folder. @param registry - what `@REGISTRY@` in Dockerfiles becomes */
export async function writeCase(
  folder: string,
  { files, setup = [], dockerfile = "context/Dockerfile" }: DockerfileCase,
  registry: string,
): Promise<void> {
  await mkdir(join(folder, "context"), { recursive: true });
  for (const [path, file] of Object.entries(files)) {
    const place = join(folder, path);
    await mkdir(dirname(place), { recursive: true });
    if (file === null) await mkdir(place, { recursive: true });
    else if (typeof file === "object" && file.link !== undefined) await symlink(file.link, place);
    else {
      const bytes = bytesOf(file);
      await writeFile(
        place,
        path === dockerfile ? bytes.toString("latin1").replaceAll("@REGISTRY@", registry) : bytes,
        {
          encoding: "latin1",
          mode: typeof file === "object" && file.executable === true ? 0o755 : 0o644,
        },
      );
    }
  }
  const modes: SetupStep[] = [];
  for (const step of setup) await doStep(folder, step, modes);
  for (const { path, mode = "" } of modes)
    await chmod(join(folder, path), Number.parseInt(mode, 8));
}

function bytesOf(file: Exclude<CaseFile, null>): Buffer {
  if (typeof file === "string") return Buffer.from(file);
  if (file.base64 !== undefined) return Buffer.from(file.base64, "base64");
  if (file.gzip !== undefined) return gunzipSync(Buffer.from(file.gzip, "base64"));
  return Buffer.from(file.text ?? "");
}

async function doStep(folder: string, step: SetupStep, modes: SetupStep[]): Promise<void> {
  const place = join(folder, step.path);
  switch (step.op) {
    case "mkdir":
      return void (await mkdir(place, { recursive: true }));
    case "write":
      await mkdir(dirname(place), { recursive: true });
      return writeFile(
        place,
        step.hex === undefined ? (step.text ?? "") : Buffer.from(step.hex, "hex"),
      );
    case "rename":
      return rename(place, join(folder, step.to ?? ""));
    case "hardlink":
      return link(join(folder, step.to ?? ""), place);
    case "symlink":
      return symlink(step.to ?? "", place);
    case "fifo":
      return void execFileSync("python3", [
        "-c",
        "import os, sys; os.mkfifo(sys.argv[1], 0o644)",
        place,
      ]);
    case "remove":
      return unlink(place);
    case "chmod":
      return void modes.push(step);
    case "mtime":
      return;
    default:
      throw new Error(`unknown setup step ${step.op}`);
  }
}

/** Removes a case's folder, whatever modes its files have. */
export async function removeCase(folder: string): Promise<void> {
  execFileSync("chmod", ["-R", "u+rwX", folder]);
  if (await lstat(folder).catch(() => undefined))
    await rm(folder, { recursive: true, force: true });
}
