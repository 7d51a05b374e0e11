import { isToolError, ToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import { run } from "../../ground/process/index.ts";

/** Programs that run the executing steps of a Dockerfile, in the order in which they are asked. */
export const BUILDER_KINDS = ["buildah", "buildx", "docker", "podman"] as const;

/** One of them. `buildx` is docker with BuildKit. */
export type BuilderKind = (typeof BUILDER_KINDS)[number];

/** A builder that answers. */
export interface Builder {
  readonly kind: BuilderKind;
  readonly program: string;
  readonly version: string;
}

const ANSWER_MS = 10_000;

const QUESTIONS: Readonly<Record<BuilderKind, readonly [string, ...string[]]>> = {
  buildah: ["buildah", "info", "--format", "{{.store.GraphDriverName}}"],
  buildx: ["docker", "buildx", "version"],
  docker: ["docker", "version", "--format", "{{.Server.Version}}"],
  podman: ["podman", "info", "--format", "{{.Version.Version}}"],
};

/**
 * The first builder that answers.
 * @param prefer - ask only for this one
 * @throws ToolError `ENGINE_MISSING` saying why none can be used.
 */
export async function findBuilder(
  prefer: BuilderKind | undefined,
  options: CallOptions = {},
): Promise<Builder> {
  const reasons: string[] = [];
  for (const kind of prefer === undefined ? BUILDER_KINDS : [prefer]) {
    const answer = await ask(kind, options);
    if (answer.version !== undefined)
      return { kind, program: QUESTIONS[kind][0], version: answer.version };
    reasons.push(`${kind}: ${answer.reason}`);
  }
  throw new ToolError(
    "ENGINE_MISSING",
    `there is no builder to execute it: ${reasons.join("; ")}`,
    {
      hint: "install buildah, or docker or podman; or do without RUN: packages of Debian come by `slipway base debian`, those of Python by `slipway pack`",
    },
  );
}

type Answer =
  | { readonly version: string; readonly reason?: undefined }
  | { readonly version?: undefined; readonly reason: string };

/** buildx is of use only where its daemon answers too. */
async function ask(kind: BuilderKind, options: CallOptions): Promise<Answer> {
  try {
    if (kind === "buildx") await question("docker", options);
    const text = await question(kind, options);
    if (text === "") return { reason: "it gives no version" };
    return { version: kind === "buildah" ? await buildahVersion(options) : firstVersion(text) };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!isToolError(error)) throw error;
    return {
      reason:
        error.code === "TOOL_MISSING"
          ? "not installed"
          : error.message.replace(/^run "[^"]*": (exit code \d+: )?/, "").slice(0, 200),
    };
  }
}

async function question(kind: BuilderKind, { signal }: CallOptions): Promise<string> {
  const { stdout } = await run(QUESTIONS[kind], { timeoutMs: ANSWER_MS, signal });
  return stdout.toString("utf8").trim();
}

async function buildahVersion({ signal }: CallOptions): Promise<string> {
  const { stdout } = await run(["buildah", "--version"], { timeoutMs: ANSWER_MS, signal });
  return firstVersion(stdout.toString("utf8"));
}

function firstVersion(text: string): string {
  return /\d+\.\d+(?:\.\d+)?/.exec(text)?.[0] ?? text.slice(0, 20);
}
