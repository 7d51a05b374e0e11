import { oneChunk } from "../../src/ground/bytes/index.ts";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ownCatalogue, type Catalogue, type Recipe } from "../../src/jobs/catalogue/index.ts";
import { createTempDir } from "../../src/ground/process/index.ts";
import {
  digestOf,
  formatReference,
  imageFrom,
  parseReference,
  type Descriptor,
  type Image,
} from "../../src/images/oci/index.ts";
import { createRegistryServer } from "../../src/images/registry-server/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { UAI_FRAMEWORKS, uaiRecipeOf } from "../../src/jobs/uai/index.ts";
import { nameInStore, putFakeBase } from "./fake-base.ts";
import { startFaultRegistry, type FaultRegistry } from "./fault-registry.ts";
import { startNamedHosts, type NamedHosts } from "./named-hosts.ts";
import { packPlace, writeFiles, type PackPlace } from "./pack-place.ts";
import { requireUv } from "./python-env.ts";
import { writeWheel } from "./wheels.ts";

/** Account of the documents' samples. */
export const ACCOUNT = { username: "xxxxx", password: "xxxxx" };
export const UHUB = "uhub.ucloud.cn";
export const UHUB_INSIDE = "uhub.service.ucloud.cn";

/** The folders of the documents' samples, by the names that the samples have for them. */
export const FOLDERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mnist_tf: withClass({
    "checkpoint_dir/checkpoint": 'model_checkpoint_path: "mnist.mod"\n',
    "checkpoint_dir/mnist.mod.index": "index",
    "checkpoint_dir/mnist.mod.meta": "graph",
    "checkpoint_dir/mnist.mod.data-00000-of-00001": "weights",
  }),
  mnist_caffe: withClass({
    "checkpoint_dir/mnist_model.prototxt": "name: 'mnist'\n",
    "checkpoint_dir/mnist_model.caffemodel": "weights",
  }),
  mnist_keras: withClass({
    "checkpoint_dir/mnist_model.json": "{}",
    "checkpoint_dir/mnist_model.h5": "weights",
  }),
  mnist_mxnet: withClass({
    "checkpoint_dir/mnist-model-symbol.json": "{}",
    "checkpoint_dir/mnist-model-0010.params": "weights",
  }),
  mnist_self: withClass({
    "checkpoint_dir/weights.bin": "weights",
    "my.conf":
      '{"http_server": {"exec": {"main_file": "mnist_inference", "main_class": "MnistModel"}}, "infor": {"note": "kept as it is"}}\n',
  }),
};

/** A place in front of the vendor's registry, which is on loopback and asks for an account, and of Docker Hub with the bases that the catalogue names. */
export interface UhubPlace extends PackPlace {
  /** Behind both names of the vendor's registry. */
  readonly uhub: FaultRegistry;
  readonly hosts: NamedHosts;
  /** An image that was pushed to the vendor's registry, by its full name. */
  pushed(name: string): Image;
}

export interface UhubPlaceOptions {
  readonly account?: { readonly username: string; readonly password: string };
  /** `NAME:PASSWORD` of the proxy on the way. Default none. */
  readonly proxyAccount?: string;
}

/** The whole is gone with the test. Skips the test and gives `undefined` where openssl or uv are missing. */
export async function uhubPlace(
  t: TestContext,
  { account = ACCOUNT, proxyAccount }: UhubPlaceOptions = {},
): Promise<UhubPlace | undefined> {
  const uv = await requireUv(t);
  if (uv === undefined) return undefined;
  const uhub = await startFaultRegistry(t, { auth: { kind: "basic", ...account } });
  const recipes = recipesIn(await ownCatalogue());
  const hub = await dockerHub(t, recipes);
  const hosts = await startNamedHosts(
    t,
    { [UHUB]: uhub.host, [UHUB_INSIDE]: uhub.host, "registry-1.docker.io": hub },
    { proxyAccount },
  );
  if (hosts === undefined) return undefined;
  const place = await packPlace(t);
  for (const [folder, files] of Object.entries(FOLDERS))
    await writeFiles(join(place.root, folder), files);
  const home = join(place.root, "../home");
  const wheels = join(place.root, "../wheels");
  await writeFiles(home, {
    "uv.toml": `[pip]\nno-index = true\nfind-links = [${JSON.stringify(wheels)}]\n`,
  });
  for (const requirement of new Set(recipes.flatMap(({ requirements }) => requirements)))
    await writeWheel(wheels, wheelFor(requirement));
  for (const name of [
    "DOCKER_CONFIG",
    "DOCKER_AUTH_CONFIG",
    "REGISTRY_AUTH_FILE",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
  ])
    delete place.env[name];
  Object.assign(place.env, hosts.env, {
    HOME: home,
    PATH: `${join(uv, "..")}:${place.env["PATH"]}`,
    UV_CONFIG_FILE: join(home, "uv.toml"),
    UV_CACHE_DIR: join(place.root, "../uv"),
  });
  return { ...place, uhub, hosts, pushed: (name) => imageIn(uhub, name) };
}

function withClass(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return {
    "mnist_inference.py":
      'class MnistModel:\n    def __init__(self, conf):\n        self.conf = conf\n\n    def execute(self, data, batch_size):\n        return ["2"] * batch_size\n',
    ...files,
  };
}

function recipesIn(catalogue: Catalogue): readonly Recipe[] {
  return UAI_FRAMEWORKS.filter((framework) => framework !== "self").map((framework) =>
    uaiRecipeOf({ framework }, catalogue),
  );
}

/** A wheel of nothing that satisfies one line. */
function wheelFor(requirement: string): { readonly name: string; readonly version: string } {
  const [, name = "", version = "1.0"] = /^([\w.-]+)(?:==([\w.]+))?/.exec(requirement) ?? [];
  return { name, version };
}

/** Docker Hub with the bases of the catalogue. @returns its address on loopback. */
async function dockerHub(t: TestContext, recipes: readonly Recipe[]): Promise<string> {
  const folder = await createTempDir("docker-hub");
  const store = createStore({
    dataDir: join(folder.path, "data"),
    cacheDir: join(folder.path, "cache"),
  });
  for (const base of new Set(recipes.map(({ base }) => base))) await putBase(store, base);
  const server = await createRegistryServer({ store });
  t.after(async () => {
    await server.close(0);
    await store[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });
  return `${server.host}:${server.port}`;
}

async function putBase(store: Store, name: string): Promise<void> {
  const { repository, tag = "latest" } = parseReference(name);
  const python = /^(\d+\.\d+)/.exec(tag)?.[1] ?? "3.12";
  // What the wheels of MXNet need: nothing of Debian is downloaded here.
  const libraries = python === "3.8" ? ["libgomp.so.1", "libquadmath.so.0"] : [];
  await store.tag(await putFakeBase(store, "base", { python: `${python}.1`, libraries }), {
    ...nameInStore(repository),
    tag,
  });
}

/** Puts an image that a store has into the vendor's registry. */
export async function putIntoUhub(
  uhub: FaultRegistry,
  store: Store,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  const target = await store.resolve(nameInStore(from));
  const image = imageFrom(store, target);
  for (const content of [
    await image.rawConfig(),
    ...(await Promise.all(
      (await image.layers()).map(async (layer) =>
        Buffer.concat(await Array.fromAsync(layer.open())),
      ),
    )),
  ])
    uhub.blobs.set(digestOf(content), Buffer.from(content));
  const bytes = Buffer.from(await image.rawManifest());
  const { repository, tag } = parseReference(to);
  for (const key of [`${repository}:${tag}`, `${repository}@${target.digest}`])
    uhub.manifests.set(key, { mediaType: target.mediaType, bytes });
}

/** What a registry in memory holds, read without our own client. */
function imageIn(registry: FaultRegistry, name: string): Image {
  const { repository, tag = "" } = parseReference(name);
  const found = registry.manifests.get(`${repository}:${tag}`);
  if (found === undefined)
    throw new Error(
      `nothing was pushed as ${formatReference(parseReference(name))}; there are ${[...registry.manifests.keys()].join(", ")}`,
    );
  const target: Descriptor = {
    mediaType: found.mediaType,
    digest: digestOf(found.bytes),
    size: found.bytes.byteLength,
  };
  return imageFrom(
    {
      resolve: () => Promise.resolve(target),
      open: ({ digest }) =>
        oneChunk(
          digest === target.digest ? found.bytes : (registry.blobs.get(digest) ?? Buffer.alloc(0)),
        ),
    },
    target,
  );
}

const COMMANDS = join(import.meta.dirname, "../fixtures/uai/commands");

/** A block of the old documents, byte for byte. */
export function documentBlock(name: string): string {
  return readFileSync(join(COMMANDS, `${name}.txt`), "utf8");
}

/**
 * The words that the program of a block's command gets, split by a real shell. The wiki put an empty line after the first line's backslash,
 * which ends the command for any shell; it is left out. So is what stands before the command.
 */
export function documentCommand(name: string): readonly string[] {
  const block = documentBlock(name);
  const command = block.slice(block.indexOf("sudo ")).replaceAll(/\\\n[ \t]*\n/g, "\\\n");
  const script = `sudo() { "$@"; }\npython() { shift; for word in "$@"; do printf '%s\\0' "$word"; done; }\n${command}`;
  return execFileSync("/bin/sh", ["-euc", script], { encoding: "utf8" }).split("\0").slice(0, -1);
}
