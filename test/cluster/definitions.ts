import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import type { Fragment } from "../../src/jobs/kubernetes/index.ts";
import { printYaml } from "../../src/models/description/index.ts";
import type { Cluster } from "../support/cluster.ts";
import { DEFINITIONS } from "../support/resource-definitions.ts";
import { SERVING_CASES } from "../support/serving-cases.ts";
import { TRAINING_CASES } from "../support/training-cases.ts";

/** Another generation of a resource that is there already. */
const OLDER = new Set(["trainer-trainjobs.yaml.gz"]);

/** Hands every rendered object to the API server in strict mode, and one of each kind with a field that does not exist. */
export async function checkDefinitions(t: TestContext, cluster: Cluster): Promise<void> {
  await defineResources(cluster);
  await cluster.kubectl(["create", "namespace", "ml"]);
  const objects = [...SERVING_CASES, ...TRAINING_CASES].flatMap(({ objects: some }) => some);
  const all = [...objects, ...objects.flatMap(podsOf)];
  const { exitCode, stderr } = await dryRun(cluster, all);
  assert.equal(exitCode, 0, stderr);
  const kinds = new Map(objects.map((object) => [String(object["kind"]), object]));
  t.diagnostic(`${all.length} objects of ${kinds.size} kinds`);
  const spoiled = await dryRun(cluster, [...kinds.values()].map(spoil));
  assert.notEqual(spoiled.exitCode, 0);
  const refused = spoiled.stderr.match(/unknown field "spec\.sleepy"/g) ?? [];
  assert.equal(refused.length, kinds.size, spoiled.stderr);
}

async function defineResources({ kubectl }: Cluster): Promise<void> {
  const files = (await readdir(DEFINITIONS)).filter((name) => !OLDER.has(name));
  const texts = await Promise.all(
    files.map(async (name) => gunzipSync(await readFile(join(DEFINITIONS, name))).toString("utf8")),
  );
  const seldon = process.env["SLIPWAY_SELDON_DEFINITION"];
  texts.push(await readFile(seldon ?? join(import.meta.dirname, "seldon-deployment.yaml"), "utf8"));
  await kubectl(["apply", "--server-side", "-f", "-"], texts.join("\n---\n"));
  await kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
}

async function dryRun(
  { tryKubectl }: Cluster,
  objects: readonly Fragment[],
): Promise<{ readonly exitCode: number; readonly stderr: string }> {
  const texts = await Promise.all(objects.map((object) => printYaml(object)));
  return tryKubectl(
    ["create", "--dry-run=server", "--validate=strict", "-f", "-"],
    texts.join("---\n"),
  );
}

/** Pods of a SeldonDeployment by themselves: its own definition may be one that does not look into them. */
function podsOf(object: Fragment): readonly Fragment[] {
  if (object["kind"] !== "SeldonDeployment") return [];
  const { predictors } = object["spec"] as {
    readonly predictors: readonly {
      readonly componentSpecs: readonly { readonly spec: Fragment }[];
    }[];
  };
  return predictors.flatMap(({ componentSpecs }) =>
    componentSpecs.map(({ spec }) => ({
      apiVersion: "v1",
      kind: "PodTemplate",
      metadata: { name: "pod" },
      template: { metadata: {}, spec },
    })),
  );
}

function spoil(object: Fragment): Fragment {
  return { ...object, spec: { ...(object["spec"] as Fragment), sleepy: 1 } };
}
