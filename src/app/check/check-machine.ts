import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { probeEngines } from "../../images/engine/index.ts";
import { isToolError } from "../../ground/errors/index.ts";
import { run } from "../../ground/process/index.ts";
import {
  createKeychain,
  createRegistry,
  type CredentialOrigin,
} from "../../images/registry/index.ts";
import type { Check } from "./checks.ts";
import type { Places } from "../session.ts";
import { registryOptions } from "../places/places.ts";
import { formatBytes } from "../format.ts";

/** Looks at this machine, and at a registry when one is named. */
export async function checkMachine(
  registry: string | undefined,
  session: Places,
): Promise<readonly Check[]> {
  const [engines, tools, folders, credential] = await Promise.all([
    checkEngines(session),
    checkTools(session),
    checkFolders(session),
    checkCredential(registry ?? "docker.io", session),
  ]);
  const reached = registry === undefined ? [] : [await checkRegistry(registry, session)];
  return [
    nodeCheck(process.versions.node),
    ...engines,
    ...tools,
    ...folders,
    credential,
    ...reached,
  ];
}

/** @param version - such as `24.1.0`. */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 19))
    return { name: "node", status: "ok", detail: version };
  return {
    name: "node",
    status: "fail",
    detail: `${version} is too old`,
    hint: "install Node 24",
    code: "TOOL_MISSING",
  };
}

/** One engine is enough, and only `slipway run` needs it. */
async function checkEngines({ signal }: Places): Promise<readonly Check[]> {
  const probes = await probeEngines({ signal });
  const isAnyUsable = probes.some(({ isUsable }) => isUsable);
  return probes.map(({ kind, isUsable, detail }): Check => {
    if (isUsable || isAnyUsable)
      return { name: kind, status: "ok", detail: isUsable ? detail : `not used: ${detail}` };
    return {
      name: kind,
      status: "warn",
      detail,
      hint: "only `slipway run` needs an engine; `slipway serve DIR` and `slipway run --unpacked` do without",
    };
  });
}

const TOOLS: readonly { readonly program: string; readonly hint: string }[] = [
  {
    program: "uv",
    hint: "resolves Python requirements for images; pip does it where uv is missing",
  },
  { program: "python3", hint: "serves Python classes on this machine; images bring their own" },
  {
    program: "apt-get",
    hint: "needed for `slipway base debian`; use a base from a registry without it",
  },
  { program: "dpkg-deb", hint: "needed for `slipway base debian`" },
  { program: "mmdebstrap", hint: "needed for `slipway base debian --full` only" },
];

async function checkTools({ signal }: Places): Promise<readonly Check[]> {
  return Promise.all(
    TOOLS.map(async ({ program, hint }): Promise<Check> => {
      const { version, problem } = await askVersion(program, signal);
      return problem === undefined
        ? { name: program, status: "ok", detail: version }
        : { name: program, status: "warn", detail: problem, hint };
    }),
  );
}

/** What came of asking a program for its version. */
interface ProgramVersion {
  readonly isThere: boolean;
  /** First line of the answer; empty without one. */
  readonly version: string;
  /** Why there is none. */
  readonly problem?: string;
}

/** Asks a program for its version. */
export async function askVersion(program: string, signal: AbortSignal): Promise<ProgramVersion> {
  try {
    const { stdout } = await run([program, "--version"], { signal, timeoutMs: 10_000 });
    return { isThere: true, version: stdout.toString("utf8").split("\n")[0]?.trim() ?? "" };
  } catch (error) {
    signal.throwIfAborted();
    if (!isToolError(error)) throw error;
    return error.code === "TOOL_MISSING"
      ? { isThere: false, version: "", problem: "not installed" }
      : { isThere: true, version: "", problem: error.message };
  }
}

const LOW_BYTES = 5 * 2 ** 30;
const NO_BYTES = 100 * 2 ** 20;

/** Whether the folders of local data can be written, and have room. */
export async function checkFolders({ directories }: Places): Promise<readonly Check[]> {
  return Promise.all([
    checkFolder("store", directories.data),
    checkFolder("cache", directories.cache),
    checkFolder("state", directories.state),
  ]);
}

async function checkFolder(name: string, path: string): Promise<Check> {
  const place = await nearestFolder(path);
  const isWritable = await access(place, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable)
    return {
      name,
      status: "fail",
      detail: `${path} cannot be written`,
      hint: `make it yours, or set the XDG_*_HOME variable that leads there`,
      code: "STORE_UNWRITABLE",
    };
  const { bavail, bsize } = await statfs(place);
  const free = bavail * bsize;
  const detail = `${path}, ${formatBytes(free)} free`;
  if (free < NO_BYTES)
    return {
      name,
      status: "fail",
      detail,
      hint: "free some disk space, with `slipway gc` for one",
      code: "DISK_FULL",
    };
  return free < LOW_BYTES
    ? {
        name,
        status: "warn",
        detail,
        hint: "free some disk space before you pull or make large images",
      }
    : { name, status: "ok", detail };
}

/** The folder itself, or the first above it that exists. */
async function nearestFolder(path: string): Promise<string> {
  const isThere = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isThere || dirname(path) === path ? path : nearestFolder(dirname(path));
}

async function checkCredential(host: string, session: Places): Promise<Check> {
  const name = "credential";
  try {
    const origin = await createKeychain({
      environment: session.access.environment,
    }).describeCredential(host, session);
    return { name, status: "ok", detail: `${host}: ${describeOrigin(origin)}` };
  } catch (error) {
    return failedCheck(name, error);
  }
}

function describeOrigin({
  kind,
  source,
  file,
  helper,
  username,
  searched,
}: CredentialOrigin): string {
  if (kind === "anonymous")
    return `none, so anonymous${searched.length === 0 ? " (no file with credentials exists)" : `; looked in ${searched.join(", ")}`}`;
  const parts = [
    username === undefined ? kind : `user "${username}"`,
    `from ${helper ?? source}`,
    ...(file === undefined ? [] : [`(${file})`]),
  ];
  return parts.join(" ");
}

async function checkRegistry(host: string, session: Places): Promise<Check> {
  const name = "registry";
  const startedAt = performance.now();
  try {
    await using registry = createRegistry(await registryOptions(host, session));
    await registry.ping(session);
    return {
      name,
      status: "ok",
      detail: `${host} answered in ${Math.round(performance.now() - startedAt)} ms`,
    };
  } catch (error) {
    return failedCheck(name, error);
  }
}

/** What an error says as a check. @throws the error itself when it is a bug of ours or an interruption */
function failedCheck(name: string, error: unknown): Check {
  if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
  return {
    name,
    status: "fail",
    detail: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    code: error.code,
  };
}
