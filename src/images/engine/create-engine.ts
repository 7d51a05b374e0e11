import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, type CallOptions } from "../../ground/bytes/index.ts";
import { createTempDir, noFile, run, runStream } from "../../ground/process/index.ts";
import { createContainer } from "./container.ts";
import type { EngineCall } from "./engine-call.ts";
import type { Container, ContainerRequest, Engine, EngineOptions } from "./contracts.ts";
import { explainEngine, isMissingImage, notFound } from "./explain.ts";
import { fallbacksFor } from "./fallbacks.ts";
import { startArguments } from "./start-arguments.ts";

/** Makes an engine of a given kind; nothing is run before it is used. See `findEngine` for which one answers. */
export function createEngine(options: EngineOptions): Engine {
  const { kind } = options;
  const command = (args: readonly string[]): readonly [string, ...string[]] => [
    options.program ?? kind,
    ...(options.globalArgs ?? []),
    ...args,
  ];
  const call: EngineCall = {
    kind,
    run: (args, more) => run(command(args), more),
    stream: (args, more) => runStream(command(args), more),
  };
  return {
    kind,
    load: (archive, more) => load(call, archive, more),
    save: (reference, more) => save(call, reference, more),
    has: (reference, more) => has(call, reference, more),
    removeImage: async (reference, more) =>
      void (await call.run(["image", "rm", "--", reference], { ...more, allowFailure: true })),
    diffIds: (reference, more) => diffIds(call, reference, more),
    start: (request, more) => start(call, { request, runArgs: options.runArgs }, more),
  };
}

async function load(
  call: EngineCall,
  archive: Bytes,
  options: CallOptions = {},
): Promise<readonly string[]> {
  try {
    const { stdout } = await call.run(["load", "-q"], { ...options, stdin: archive });
    // "Loaded image: NAME", "Loaded image ID: sha256:…", and podman's "Loaded image(s): NAME,NAME".
    return stdout
      .toString("utf8")
      .split("\n")
      .flatMap(
        (line) =>
          /^Loaded image(?: ID|\(s\))?: *(\S.*)$/.exec(line.trim())?.[1]?.split(/, */) ?? [],
      );
  } catch (error) {
    throw explainEngine(error, call.kind, "load an image");
  }
}

async function* save(
  call: EngineCall,
  reference: string,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const form = call.kind === "podman" ? ["--format", "docker-archive"] : [];
  try {
    yield* call.stream(["save", ...form, "--", reference], options);
  } catch (error) {
    throw isMissingImage(error)
      ? notFound(reference, call.kind, error)
      : explainEngine(error, call.kind, `export "${reference}"`);
  }
}

async function has(
  call: EngineCall,
  reference: string,
  options: CallOptions = {},
): Promise<boolean> {
  try {
    await call.run(["image", "inspect", "--format", "{{.Id}}", "--", reference], options);
    return true;
  } catch (error) {
    if (isMissingImage(error)) return false;
    throw explainEngine(error, call.kind, `look for "${reference}"`);
  }
}

async function diffIds(
  call: EngineCall,
  reference: string,
  options: CallOptions = {},
): Promise<readonly string[] | undefined> {
  try {
    const { stdout } = await call.run(
      ["image", "inspect", "--format", "{{json .RootFS.Layers}}", "--", reference],
      options,
    );
    const found: unknown = JSON.parse(stdout.toString("utf8"));
    return Array.isArray(found) ? found.filter((item) => typeof item === "string") : [];
  } catch (error) {
    if (isMissingImage(error)) return undefined;
    throw explainEngine(error, call.kind, `look for "${reference}"`);
  }
}

/** Tries the plain way first; where the engine is refused something that it would always ask for, it is asked again without. */
async function start(
  call: EngineCall,
  plan: { readonly request: ContainerRequest; readonly runArgs: readonly string[] | undefined },
  options: CallOptions = {},
): Promise<Container> {
  const { request, runArgs } = plan;
  const attempts =
    runArgs === undefined
      ? await fallbacksFor(call.kind)
      : [{ args: runArgs, isWorthTrying: () => true }];
  await using folder = await createTempDir("slipway-start");
  let failure: unknown;
  for (const [index, { args, isWorthTrying }] of attempts.entries()) {
    if (failure !== undefined && !isWorthTrying(failure)) continue;
    const idFile = join(folder.path, String(index));
    try {
      const { stdout } = await call.run(
        ["run", "--detach", `--cidfile=${idFile}`, ...args, ...startArguments(request, call.kind)],
        { ...options, extraEnv: request.env },
      );
      return createContainer(call, stdout.toString("utf8").trim().split("\n").at(-1) ?? "");
    } catch (error) {
      failure = error;
      await removeFailed(call, idFile);
    }
  }
  throw explainEngine(failure, call.kind, `start "${request.image}"`);
}

/** A container whose start failed stays behind, and keeps its name; also after an abort. */
async function removeFailed(call: EngineCall, idFile: string): Promise<void> {
  const id = ((await readFile(idFile, "utf8").catch(noFile)) ?? "").trim();
  if (/^[0-9a-f]{12,64}$/.test(id))
    await call.run(["rm", "--force", "--volumes", id], { allowFailure: true });
}
