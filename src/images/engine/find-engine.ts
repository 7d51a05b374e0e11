import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { type CallOptions } from "../../ground/bytes/index.ts";
import { run } from "../../ground/process/index.ts";
import type { EngineKind, EngineOptions } from "./contracts.ts";

/** What a look for an engine found. */
export interface EngineProbe {
  readonly kind: EngineKind;
  readonly isUsable: boolean;
  /** Version of the engine, or why it cannot be used. */
  readonly detail: string;
}

export interface FindEngineOptions extends CallOptions {
  /** Tried first. Default docker. */
  readonly prefer?: EngineKind | undefined;
  /** Per engine: other program, arguments before every command, arguments of every run. */
  readonly calls?: Partial<Readonly<Record<EngineKind, Omit<EngineOptions, "kind">>>> | undefined;
}

const ANSWER_MS = 10_000;

/** Asks both engines whether they answer. Never throws for one that does not. */
export async function probeEngines(
  options: FindEngineOptions = {},
): Promise<readonly EngineProbe[]> {
  const kinds: readonly EngineKind[] =
    options.prefer === "podman" ? ["podman", "docker"] : ["docker", "podman"];
  return Promise.all(kinds.map((kind) => probe(kind, options)));
}

/**
 * Chooses the engine that answers, the preferred one first.
 * @throws ToolError `ENGINE_MISSING` saying why neither can be used.
 */
export async function findEngine(options: FindEngineOptions = {}): Promise<EngineOptions> {
  const probes = await probeEngines(options);
  const found = probes.find(({ isUsable }) => isUsable);
  if (found !== undefined) return { ...options.calls?.[found.kind], kind: found.kind };
  throw new ToolError(
    "ENGINE_MISSING",
    `find a container engine: ${probes.map(({ kind, detail }) => `${kind}: ${detail}`).join("; ")}`,
    {
      hint: "start docker or install podman, or run the model without an engine: slipway serve",
    },
  );
}

async function probe(kind: EngineKind, options: FindEngineOptions): Promise<EngineProbe> {
  const { program = kind, globalArgs = [] } = options.calls?.[kind] ?? {};
  // Each asks the part that does the work: docker's daemon, podman's storage and runtime.
  const question =
    kind === "docker"
      ? ["version", "--format", "{{.Server.Version}}"]
      : ["info", "--format", "{{.Version.Version}}"];
  try {
    const { stdout } = await run([program, ...globalArgs, ...question], {
      timeoutMs: ANSWER_MS,
      signal: options.signal,
    });
    const version = stdout.toString("utf8").trim();
    return version === ""
      ? { kind, isUsable: false, detail: "it gives no version" }
      : { kind, isUsable: true, detail: version };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!isToolError(error)) throw error;
    return {
      kind,
      isUsable: false,
      detail: error.code === "TOOL_MISSING" ? "not installed" : reasonOf(error),
    };
  }
}

function reasonOf(error: ToolError): string {
  return error.message.replace(/^run "[^"]*": (exit code \d+: )?/, "");
}
