import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createSession } from "../../src/app/index.ts";
import { fetchSource } from "../../src/app/fetch/fetch-source.ts";
import { parseModelUri, type FetchProgress } from "../../src/models/fetch/index.ts";
import { packed, tarOf } from "../support/archives.ts";
import { startDockerRegistry, type DockerRegistry } from "../support/docker-registry.ts";

interface Blob {
  readonly mediaType: string;
  readonly content: Buffer;
  readonly annotations?: Readonly<Record<string, string>>;
}

const IMAGE = "application/vnd.oci.image";
const PACK = "application/vnd.cncf.model";

/** Pushes an image or artifact over the registry's API, as any client does. */
async function pushAs(
  { host }: DockerRegistry,
  name: string,
  what: { readonly layers: readonly Blob[]; readonly configType: string },
): Promise<void> {
  const diffIds = what.layers.map(({ content }) => digestOf(content));
  const text = {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: diffIds },
  };
  const config = { mediaType: what.configType, content: Buffer.from(JSON.stringify(text)) };
  const [described, ...layers] = await Promise.all(
    [config, ...what.layers].map(async ({ content, ...blob }) => {
      const digest = digestOf(content);
      const begun = await fetch(`http://${host}/v2/${name}/blobs/uploads/`, { method: "POST" });
      const url = new URL(begun.headers.get("location") ?? "", `http://${host}`);
      url.searchParams.set("digest", digest);
      const put = await fetch(url, { method: "PUT", body: Buffer.from(content) });
      assert.equal(put.status, 201);
      return { ...blob, digest, size: content.length };
    }),
  );
  const mediaType = `${IMAGE}.manifest.v1+json`;
  const put = await fetch(`http://${host}/v2/${name}/manifests/v1`, {
    method: "PUT",
    headers: { "content-type": mediaType },
    body: JSON.stringify({ schemaVersion: 2, mediaType, config: described, layers }),
  });
  assert.equal(put.status, 201, await put.text());
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

interface Place {
  readonly folder: string;
  fetch(
    uri: string,
    options?: {
      readonly signal?: AbortSignal;
      readonly onProgress?: (progress: FetchProgress) => void;
    },
  ): Promise<unknown>;
  files(): Promise<Readonly<Record<string, Buffer>>>;
}

async function placeOf(t: TestContext): Promise<Place> {
  const home = await mkdtemp(join(tmpdir(), "slipway-fetch-oci-"));
  t.after(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, "models");
  return {
    folder,
    fetch: (uri, { onProgress, ...options } = {}) => {
      const session = createSession({ environment: { HOME: home }, ...options });
      return fetchSource({ source: parseModelUri(uri, {}), folder, onProgress }, session);
    },
    async files() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const paths = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .filter((path) => !path.startsWith(".slipway/"))
        .sort();
      const read = async (path: string): Promise<[string, Buffer]> => [
        path,
        await readFile(join(folder, path)),
      ];
      return Object.fromEntries(await Promise.all(paths.map(read)));
    },
  };
}

const WEIGHTS = randomBytes(20 * 2 ** 20);
const LAYER = `${IMAGE}.layer.v1.tar`;
const LAYERS: readonly Blob[] = [
  {
    mediaType: LAYER,
    content: tarOf({ "etc/os-release": "x", "models/old.bin": "old", "models/cut/a": "a" }),
  },
  { mediaType: LAYER, content: tarOf({ "models/m/weights.bin": WEIGHTS }) },
  {
    mediaType: `${LAYER}+gzip`,
    content: packed(
      tarOf({ "models/.wh.old.bin": "", "models/cut/.wh..wh..opq": "", "models/cut/b": "b" }),
      "gzip",
    ),
  },
  {
    mediaType: `${LAYER}+zstd`,
    content: packed(tarOf({ "models/m/labels.txt": "a\n", "app/x.py": "" }), "zstd"),
  },
];

test("the model in an image of a real registry comes layer by layer, with what upper layers take away", async (t) => {
  const registry = await startDockerRegistry(t);
  if (registry === undefined) return;
  await pushAs(registry, "team/iris", { layers: LAYERS, configType: `${IMAGE}.config.v1+json` });
  const place = await placeOf(t);
  await place.fetch(`oci://${registry.host}/team/iris:v1`);
  assert.deepEqual(await place.files(), {
    "cut/b": Buffer.from("b"),
    "m/labels.txt": Buffer.from("a\n"),
    "m/weights.bin": WEIGHTS,
  });
});

test("a fetch from a registry that was ended goes on where it was", async (t) => {
  const registry = await startDockerRegistry(t);
  if (registry === undefined) return;
  await pushAs(registry, "iris", {
    layers: LAYERS.slice(1, 2),
    configType: `${IMAGE}.config.v1+json`,
  });
  const place = await placeOf(t);
  const uri = `oci://${registry.host}/iris:v1`;
  const stop = new AbortController();
  const onProgress = ({ bytes }: FetchProgress): void => {
    if (bytes > 10 * 2 ** 20) stop.abort(new Error("ended"));
  };
  await assert.rejects(place.fetch(uri, { signal: stop.signal, onProgress }), /ended/);
  const [staging = ""] = (await readdir(join(place.folder, ".slipway"))).filter((name) =>
    /^fetch-/.test(name),
  );
  const { size } = await stat(join(place.folder, ".slipway", staging, "part-0/m/weights.bin"));
  assert.ok(size >= 8 * 2 ** 20, `${size} bytes were kept`);
  await place.fetch(uri);
  assert.deepEqual(await place.files(), { "m/weights.bin": WEIGHTS });
});

test("a ModelPack artifact of a real registry comes as its files", async (t) => {
  const registry = await startDockerRegistry(t);
  if (registry === undefined) return;
  const layers: readonly Blob[] = [
    {
      mediaType: `${PACK}.weight.v1.raw`,
      content: WEIGHTS,
      annotations: { "org.cncf.model.filepath": "weights/model.safetensors" },
    },
    { mediaType: `${PACK}.weight.config.v1.tar`, content: tarOf({ "config.json": "{}" }) },
    {
      mediaType: `${PACK}.doc.v1.tar+gzip`,
      content: packed(tarOf({ "README.md": "# it" }), "gzip"),
    },
  ];
  await pushAs(registry, "packed", { layers, configType: `${PACK}.config.v1+json` });
  const place = await placeOf(t);
  await place.fetch(`oci://${registry.host}/packed:v1`);
  assert.deepEqual(await place.files(), {
    "README.md": Buffer.from("# it"),
    "config.json": Buffer.from("{}"),
    "weights/model.safetensors": WEIGHTS,
  });
});

test("a layer that the registry keeps damaged is refused, and nothing of it stays", async (t) => {
  const registry = await startDockerRegistry(t);
  if (registry === undefined) return;
  await pushAs(registry, "iris", { layers: LAYERS, configType: `${IMAGE}.config.v1+json` });
  const blobs = await readdir(registry.folder, { recursive: true, withFileTypes: true });
  for (const entry of blobs) {
    const path = join(entry.parentPath, entry.name);
    if (entry.name !== "data" || !entry.isFile() || (await readFile(path)).length < WEIGHTS.length)
      continue;
    const content = await readFile(path);
    content[5_000_000] = (content[5_000_000] ?? 0) ^ 1;
    await writeFile(path, content);
  }
  const place = await placeOf(t);
  await assert.rejects(place.fetch(`oci://${registry.host}/iris:v1`), { code: "DIGEST_MISMATCH" });
  assert.deepEqual(await place.files(), {});
});
