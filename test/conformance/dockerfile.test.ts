import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isToolError } from "../../src/ground/errors/index.ts";
import { createDeflatePool } from "../../src/images/compress/index.ts";
import {
  buildTarget,
  contextTree,
  parseDockerfile,
  readIgnoreFile,
  type BuiltTarget,
  type DockerfileHost,
} from "../../src/images/dockerfile/index.ts";
import { configOf, parsePlatform, type ImageConfig } from "../../src/images/oci/index.ts";
import { openCaseBase } from "../support/dockerfile-bases.ts";
import { removeCase, writeCase, type DockerfileCase } from "../support/dockerfile-case.ts";
import { imageFiles } from "../support/image-files.ts";
import { memoryJsonCache, memoryLayerStore } from "../support/memory-layer-store.ts";

const CASES = JSON.parse(
  readFileSync(new URL("../fixtures/dockerfiles/cases.json", import.meta.url), "utf8"),
) as readonly DockerfileCase[];
/** As when BuildKit's results were taken: a Dockerfile that copies itself has it in its content. */
const REGISTRY = "127.0.0.1:5917";
const AMD64 = parsePlatform("linux/amd64");
const pool = createDeflatePool();
const caches = new Map<string, ReturnType<typeof memoryJsonCache>>();
after(() => pool[Symbol.asyncDispose]());

test("the table holds every kind of case", () => {
  assert.ok(CASES.length > 250, `${CASES.length} cases`);
  assert.ok(CASES.filter(({ error }) => error !== undefined).length > 60);
});

for (const each of CASES) {
  // What BuildKit made of it was made as root; a file without permissions can be read by root alone.
  const needsRoot = each.setup?.some(({ op, mode }) => op === "chmod" && mode === "0000") === true;
  const skip = needsRoot && process.getuid?.() !== 0 ? "only root reads its files" : false;
  test(`${each.id}: ${each.title ?? "as BuildKit"}`, { skip }, () => runCase(each));
}

async function runCase(each: DockerfileCase): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-dockerfile-"));
  try {
    await writeCase(folder, each, REGISTRY);
    if (each.error !== undefined) return await expectRefusal(folder, each);
    const { image } = await buildCase(folder, each);
    const config = await configOf(image.image);
    assert.deepEqual(shortConfig(config), each.config);
    assert.equal(`${config.os}/${config.architecture}`, each.platform ?? "linux/amd64");
    assert.deepEqual(Object.fromEntries(await imageFiles(image.image)), await expectedFiles(each));
  } finally {
    await removeCase(folder);
  }
}

async function expectRefusal(folder: string, each: DockerfileCase): Promise<void> {
  const { line, words = [] } = each.error ?? {};
  await assert.rejects(buildCase(folder, each), (error: unknown) => {
    assert.ok(isToolError(error), String(error));
    assert.notEqual(error.code, "INTERNAL");
    if (line !== undefined) assert.match(error.message, new RegExp(`:${line}:\\d+: `));
    const text = error.message.toLowerCase();
    if (words.length > 0)
      assert.ok(
        words.some((word) => text.includes(word.toLowerCase())),
        error.message,
      );
    return true;
  });
}

async function buildCase(folder: string, each: DockerfileCase): Promise<BuiltTarget> {
  const { dockerfile = "context/Dockerfile", args = [] } = each;
  const file = join(folder, dockerfile);
  const context = join(folder, "context");
  const { patterns } = await readIgnoreFile(file, context);
  const valueOf = (flag: string): string | undefined => args[args.indexOf(flag) + 1];
  const buildArgs = args.flatMap((word, index) =>
    word === "--build-arg" ? [(args[index + 1] ?? "").split("=") as [string, string?]] : [],
  );
  return buildTarget(
    {
      dockerfile: parseDockerfile(await readFile(file, "utf8"), "Dockerfile"),
      context: contextTree(context, { ignored: patterns }),
      explainMissing: () => Promise.resolve(undefined),
      buildArgs: new Map(buildArgs.map(([name, value]) => [name, value ?? each.env?.[name] ?? ""])),
      target: args.includes("--target") ? valueOf("--target") : undefined,
      platform: args.includes("--platform") ? parsePlatform(valueOf("--platform") ?? "") : AMD64,
      buildPlatform: AMD64,
      epochS: 0,
    },
    hostOf(folder),
  );
}

function hostOf(folder: string): DockerfileHost {
  return {
    openImage: openCaseBase,
    execute: () => assert.fail("nothing executes here"),
    pack: {
      store: { ...memoryLayerStore(), putPlan: () => Promise.resolve() },
      digests: {
        get: () => Promise.resolve(undefined),
        set: () => Promise.resolve(),
        resembles: () => Promise.resolve(false),
      },
      cache: (name) => {
        const cache = caches.get(name) ?? memoryJsonCache();
        // Layers of one case are in no other case's store.
        if (name !== "layers") caches.set(name, cache);
        return cache;
      },
      cacheDir: join(folder, "cache"),
      tool: { version: "0.0.0", serverFolder: "", workerFolder: "" },
      pool,
      environment: {},
      downloadPackage: () => assert.fail("nothing is downloaded here"),
    },
  };
}

async function expectedFiles({ base, tree = {}, platform }: DockerfileCase): Promise<unknown> {
  const files =
    base === undefined
      ? new Map<string, string>()
      : await imageFiles(
          (
            await openCaseBase(
              base.replace(/-(?:amd|arm)64$/, ""),
              parsePlatform(platform ?? "linux/amd64"),
            )
          ).image,
        );
  for (const [path, line] of Object.entries(tree))
    if (line === "gone") files.delete(path);
    else files.set(path, line);
  return Object.fromEntries(files);
}

/** The parts of a config that a Dockerfile has a say in, without what is empty. */
function shortConfig({ config = {}, author }: ImageConfig): Readonly<Record<string, unknown>> {
  const env = (config.Env ?? []).map((entry) => {
    const sign = entry.indexOf("=");
    return [entry.slice(0, sign), entry.slice(sign + 1)] as const;
  });
  const all = {
    ...config,
    Env: Object.fromEntries(env),
    ExposedPorts: Object.keys(config.ExposedPorts ?? {}).sort(),
    Volumes: Object.keys(config.Volumes ?? {}).sort(),
    WorkingDir: config.WorkingDir === "/" ? "" : config.WorkingDir,
    Author: author,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === "" ||
    (typeof value === "object" && value !== null && Object.keys(value).length === 0)
  );
}
