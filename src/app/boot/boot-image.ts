import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { factsOf, isToolError, ToolError } from "../../ground/errors/index.ts";
import { noFile } from "../../ground/process/index.ts";
import {
  parseBootDescription,
  type BootDescription,
  type ModelDescription,
} from "../../models/description/index.ts";
import {
  addToHostsFile,
  parseHosts,
  sourceFromEnvironment,
  type FetchedModel,
  type FetchProgress,
  type ModelSource,
} from "../../models/fetch/index.ts";
import {
  createLogger,
  parseSeldonLaunch,
  runEntry,
  type EntryOptions,
  type Logger,
} from "../../serving/server/index.ts";
import { describeFetched } from "../fetch/describe-fetched.ts";
import { fetchSource } from "../fetch/fetch-source.ts";
import type { Environment } from "../session.ts";
import { startWaitingServer } from "./waiting-server.ts";

const BOOT_FILE = "/opt/slipway/boot.json";
const MODEL_FOLDER = "/models";
const HOST = "0.0.0.0";
const HEALTHCHECK = "--healthcheck";

/**
 * The entry point of images without a model: fetches what the environment names into `/models` (`MODEL_DIR` names another folder), finds
 * out what it is, and serves it. Where the environment names nothing, it serves what lies there. Resolves to the exit code: that of the
 * server, or of what went wrong before; the port then answers nothing but 503.
 */
export async function bootImage(options: EntryOptions): Promise<number> {
  const { argv, env, signal } = options;
  const log = createLogger();
  try {
    const boot = await readBootFile(env);
    if (argv.includes(HEALTHCHECK))
      return await runEntry({ ...options, description: placeholder(boot) });
    const description = await fetchAndDescribe(boot, { env, signal, log });
    log.info({ model: description.name, kind: description.kind }, "loading the model");
    // The document's own example has `bash` behind the image's name, which its entry point never looked at.
    if (argv.length > 0) log.info({ ignored: argv.slice(0, 10) }, "arguments have no effect here");
    return await runEntry({ ...options, argv: [], description });
  } catch (error) {
    if (signal.aborted) return 0;
    if (isToolError(error)) log.fatal({ code: error.code, hint: error.hint }, error.message);
    else log.fatal({ err: error }, "a bug in slipway: please report it");
    return factsOf(error).exit;
  }
}

interface Booting {
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

async function readBootFile(env: Environment): Promise<BootDescription> {
  const root = env["SLIPWAY_ROOT"] ?? "";
  const file = join(root, BOOT_FILE);
  const boot = parseBootDescription(await readFile(file), file);
  const { python } = boot;
  if (root === "" || python === undefined) return boot;
  const path = python.path.map((folder) => join(root, folder));
  return { ...boot, python: { executable: join(root, python.executable), path } };
}

/** What a health check needs of a description. */
function placeholder({ name, contract, ports, server }: BootDescription): ModelDescription {
  return { schemaVersion: 1, kind: "class", service: "MODEL", name, contract, ports, server };
}

async function fetchAndDescribe(
  boot: BootDescription,
  booting: Booting,
): Promise<ModelDescription> {
  const { env, signal, log } = booting;
  const { http = boot.ports.http } = parseSeldonLaunch([], env).ports;
  await using waiting = await startWaitingServer(HOST, http);
  const model = await fetchOrFind(waiting.onProgress, booting);
  const { contract, python, ports, server } = boot;
  const described = await describeFetched(
    model,
    { contract, python, environment: env },
    { signal },
  );
  if (!boot.kinds.includes(described.kind))
    throw new ToolError(
      "RUNTIME_MISSING",
      `serve "${model.label}": it is a model of kind ${described.kind}, and this image runs ${boot.kinds.join(", ")}`,
      {
        hint: `pack an image for it: slipway pack --contract model-server --fetch ${described.kind}`,
      },
    );
  log.info({ from: model.label, kept: model.isKept }, "the model is there");
  return { ...described, ports, server };
}

/** Fetches the model, or takes what was mounted where nothing is to be fetched. */
async function fetchOrFind(
  onProgress: (progress: FetchProgress) => void,
  booting: Booting,
): Promise<FetchedModel> {
  const { env, log } = booting;
  await applyHosts(env, log);
  const folder = join(env["SLIPWAY_ROOT"] ?? "", env["MODEL_DIR"]?.trim() || MODEL_FOLDER);
  const source = sourceFromEnvironment(env);
  return source === undefined
    ? findMounted(folder)
    : fetchInto(folder, { source, onProgress }, booting);
}

async function applyHosts(env: Environment, log: Logger): Promise<void> {
  const hosts = parseHosts(env["HOSTS"]);
  if (await addToHostsFile(hosts)) return;
  log.info(
    { hosts: hosts.size },
    "/etc/hosts may not be written: downloads know HOSTS, other programs do not",
  );
}

async function findMounted(folder: string): Promise<FetchedModel> {
  const names = (await readdir(folder).catch(noFile)) ?? [];
  if (names.some((name) => !name.startsWith("."))) return { folder, label: folder, isKept: true };
  throw new ToolError(
    "USAGE",
    `start the model server: nothing says which model, and "${folder}" is empty`,
    {
      hint: "set XQUERY_ADDR and MODEL_ID, or MODEL_URI, or mount a model there",
    },
  );
}

/** A line in the log for each so many bytes. */
const LOGGED_BYTES = 256 * 2 ** 20;

async function fetchInto(
  folder: string,
  order: {
    readonly source: ModelSource;
    readonly onProgress: (progress: FetchProgress) => void;
  },
  { env, signal, log }: Booting,
): Promise<FetchedModel> {
  const cache = join(tmpdir(), "slipway");
  let logged = 0;
  log.info({ folder }, "fetching the model");
  return fetchSource(
    {
      ...order,
      folder,
      onProgress(progress) {
        order.onProgress(progress);
        if (progress.bytes - logged < LOGGED_BYTES) return;
        logged = progress.bytes;
        log.info({ ...progress }, "fetching the model");
      },
    },
    {
      cwd: "/",
      signal,
      environment: env,
      emit: (event) => {
        if (event.kind === "warning") log.warn({}, event.text);
      },
      directories: { data: cache, cache, state: cache },
      access: {
        environment: env,
        userAgent: "slipway",
        isPlainHttp: /^(?:1|true|yes|on)$/i.test(env["MODEL_PLAIN_HTTP"]?.trim() ?? ""),
        mirrors: [],
      },
    },
  );
}
