import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import type { TestContext } from "node:test";
import { createHttpClient } from "../../src/ground/http/index.ts";
import { MEDIA_TYPES, uncompressed } from "../../src/images/oci/index.ts";
import { readTar } from "../../src/images/tar/index.ts";
import {
  fetchModel,
  limitsIn,
  parseHosts,
  sourceFromEnvironment,
  type FetchContext,
  type FetchedModel,
} from "../../src/models/fetch/index.ts";

/** A folder of models, and what a fetch into it needs. */
export interface FetchPlace {
  readonly folder: string;
  readonly warnings: readonly string[];
  /** Fetches what the variables name. */
  fetch(
    env: Readonly<Record<string, string>>,
    changes?: Partial<FetchContext>,
  ): Promise<FetchedModel>;
  /** Content of every file by path, without what is ours. */
  files(): Promise<Readonly<Record<string, string>>>;
  /** Names of everything that is ours, but for the record. */
  leftovers(): Promise<readonly string[]>;
}

/** An empty folder of models, gone with the test. */
export async function fetchPlace(t: TestContext): Promise<FetchPlace> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-fetch-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const warnings: string[] = [];
  return {
    folder,
    warnings,
    async fetch(environment, changes) {
      using client = createHttpClient({ hosts: parseHosts(environment["HOSTS"]) });
      const source = sourceFromEnvironment(environment);
      if (source === undefined) throw new Error("the variables name no model");
      return await fetchModel(source, folder, {
        client,
        environment,
        readTar,
        uncompressed: (stored, compression, options) =>
          uncompressed(
            stored,
            compression === "gzip" ? MEDIA_TYPES.layerTarGzip : MEDIA_TYPES.layerTarZstd,
            options,
          ),
        openImage: () => Promise.reject(new Error("no image is opened here")),
        limits: limitsIn(environment),
        onWarning: (text) => void warnings.push(text),
        ...changes,
      });
    },
    async files() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const paths = entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => posix.join(entry.parentPath.slice(folder.length + 1), entry.name))
        .filter((path) => !path.startsWith(".slipway/"))
        .sort();
      const read = paths.map(
        async (path) => [path, await readFile(join(folder, path), "utf8")] as const,
      );
      return Object.fromEntries(await Promise.all(read));
    },
    leftovers: async () =>
      (await readdir(join(folder, ".slipway"))).filter((name) => name !== "fetched.json"),
  };
}
