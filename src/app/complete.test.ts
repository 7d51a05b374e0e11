import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir } from "../ground/process/index.ts";
import { createStore } from "../images/store/index.ts";
import { putSmallImage } from "../../test/support/small-image.ts";
import { complete } from "./complete.ts";
import { createSession } from "./session.ts";

const GLOBALS = [{ form: "--json", help: "JSON lines" }];

async function words(line: string, home = "/nowhere"): Promise<readonly string[]> {
  const session = createSession({ environment: { HOME: home } });
  const { candidates, takesPaths } = await complete(line.split(" "), GLOBALS, session);
  return [...candidates.map(({ word }) => word), ...(takesPaths ? [":paths"] : [])];
}

const CASES: Readonly<Record<string, readonly string[]>> = {
  pu: ["push", "pull"],
  "--json pu": ["push", "pull"],
  "--j": ["--json"],
  "train s": ["split"],
  "packdocker x": ["xgboost"],
  "doctor bu": ["build"],
  "nosuch x": [],
  "pull --pl": ["--platform"],
  "copy a b --ch": ["--chunk-size"],
  "pack --tag a --ta": ["--tag"],
  "pack --base a --bas": [],
  "pack --base=a --bas": [],
  "run x --engine ": ["docker", "podman"],
  "run x --engine=p": ["--engine=podman"],
  "completion z": ["zsh"],
  "packdocker keras --all_one_file ": ["true", "false"],
  "packdocker keras --model_na": ["--model_name"],
  "pack --ca-file ": [":paths"],
  "pack ": [":paths"],
  "pack --tag ": [],
  "train run -- ": [":paths"],
  "seldon-core-microservice ": [],
};

for (const [line, expected] of Object.entries(CASES))
  test(`slipway ${line}<Tab>`, async () => assert.deepEqual(await words(line), expected));

test("a word alone lists the commands, each with what it does", async () => {
  const { candidates } = await complete([""], GLOBALS, createSession());
  assert.ok(candidates.length > 20);
  assert.ok(candidates.every(({ word, help }) => !word.includes(" ") && help !== ""));
});

test("an image's place has the names of the store", async (t) => {
  const folder = await createTempDir("slipway-complete");
  t.after(() => folder[Symbol.asyncDispose]());
  const place = (name: string): string => join(folder.path, name, "slipway");
  await using store = createStore({ dataDir: place(".local/share"), cacheDir: place(".cache") });
  const descriptor = await putSmallImage(store);
  await store.tag(descriptor, { registry: "store", repository: "iris", tag: "v1" });
  assert.deepEqual(await words("run store:i", folder.path), ["store:iris:v1"]);
  assert.deepEqual(await words("push ", folder.path), ["store:iris:v1"]);
});
