import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { isToolError, stripControls, ToolError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { run, type RunResult } from "../../../ground/process/index.ts";
import { waitReady } from "../wait-ready.ts";
import { followInRoot } from "./root-path.ts";
import type { UnpackedImage } from "./unpack-image.ts";

export interface RunUnpackedOptions extends CallOptions {
  readonly image: UnpackedImage;
  /** On top of the image's own; such as the port to listen on. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Where the service answers once it is ready. Without it the call returns at once. */
  readonly ready?:
    | { readonly url: string; readonly path: string; readonly timeoutMs?: number | undefined }
    | undefined;
  /** Told what the service prints, both outputs as they come. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

/** A service that runs from an unpacked image as a process of this machine. */
export interface RunningProcess extends AsyncDisposable {
  /** Settles when the process ends: its exit code, or 0 after `stop`. */
  readonly ended: Promise<number>;
  /** Ends it and everything it started: SIGTERM, SIGKILL after 5 s. */
  stop(): Promise<void>;
}

/** Variables whose value is a list of folders of the image. */
const PATH_LISTS = new Set(["PYTHONPATH", "LD_LIBRARY_PATH"]);
const TAIL_CHARS = 4096;

/**
 * Starts what the image would start, without a container: paths of the image in the command, the working directory and
 * the path lists are turned into paths below the folder, and `SLIPWAY_ROOT` tells the server to do the same with those
 * of its model. The process runs as the calling user and sees the whole machine: no isolation.
 * @throws ToolError `UNSUPPORTED` without a command, `ENGINE_FAILED` when it ends before it is ready, `TIMEOUT`.
 */
export async function runUnpacked({
  image,
  env = {},
  ready,
  onOutput,
  signal,
}: RunUnpackedOptions): Promise<RunningProcess> {
  const command = await commandOf(image);
  const stopping = new AbortController();
  let tail = "";
  const listen = (text: string): void => {
    tail = (tail + text).slice(-TAIL_CHARS);
    onOutput?.(text);
  };
  const decoder = new TextDecoder();
  const running = run(command, {
    cwd: await folderOf(image),
    env: { ...(await environmentOf(image)), SLIPWAY_ROOT: image.root, ...env },
    signal: stopping.signal,
    onStdout: (chunk) => listen(decoder.decode(chunk, { stream: true })),
    onStderr: listen,
    allowFailure: true,
  });
  const ended = exitCodeOf(running, stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await ended;
  };
  if (ready !== undefined) {
    try {
      const url = new URL(ready.path, ready.url);
      await waitReady({
        url,
        timeoutMs: ready.timeoutMs,
        ended,
        what: "the unpacked image",
        describeEnd: async () => `it ended with exit code ${await ended}`,
        lastLines: () => Promise.resolve(lastLinesOf(tail)),
        signal,
      });
    } catch (error) {
      await stop();
      throw error;
    }
  }
  return { ended, stop, [Symbol.asyncDispose]: stop };
}

/** A program that a signal ended has no code; 128 and up is what shells give for it. */
async function exitCodeOf(running: Promise<RunResult>, stopped: AbortSignal): Promise<number> {
  try {
    return (await running).exitCode;
  } catch (error) {
    if (stopped.aborted) return 0;
    if (isToolError(error) && error.code === "TOOL_MISSING") return 127;
    return 137;
  }
}

async function commandOf({ root, config }: UnpackedImage): Promise<readonly [string, ...string[]]> {
  const parts = [...(config.config?.Entrypoint ?? []), ...(config.config?.Cmd ?? [])];
  const [program, ...args] = await Promise.all(parts.map((part) => mapped(root, part)));
  if (program === undefined)
    throw new ToolError(
      "UNSUPPORTED",
      "run an unpacked image: it has neither an entry point nor a command",
    );
  return [program, ...args];
}

async function folderOf({ root, config }: UnpackedImage): Promise<string> {
  const place = await followInRoot(root, (config.config?.WorkingDir ?? "/").replace(/^\/+/, ""));
  return join(root, place ?? "");
}

async function environmentOf({
  root,
  config,
}: UnpackedImage): Promise<Readonly<Record<string, string>>> {
  const entries = (config.config?.Env ?? []).map(
    async (line): Promise<readonly [string, string]> => {
      const at = line.indexOf("=");
      const [name, value] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
      if (!PATH_LISTS.has(name)) return [name, value];
      return [
        name,
        (await Promise.all(value.split(":").map((part) => mapped(root, part)))).join(":"),
      ];
    },
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** An absolute path that the image has becomes a path of this machine; every other text stays. */
async function mapped(root: string, text: string): Promise<string> {
  if (!text.startsWith("/")) return text;
  const place = await followInRoot(root, text.replace(/^\/+/, ""));
  const exists =
    place !== undefined &&
    (await lstat(join(root, place)).then(
      () => true,
      () => false,
    ));
  return exists ? join(root, text) : text;
}

function lastLinesOf(tail: string): string {
  const lines = tail
    .split("\n")
    .map((line) => stripControls(line).trimEnd())
    .filter((line) => line !== "")
    .slice(-20);
  return lines.length === 0 ? "" : `; its last lines:\n${lines.join("\n")}`;
}
