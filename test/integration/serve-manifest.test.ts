import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import type { Fragment } from "../../src/jobs/kubernetes/index.ts";
import { printYaml } from "../../src/models/description/index.ts";
import { SERVING_CASES } from "../support/serving-cases.ts";
import { pythonEnv } from "../support/python-env.ts";
import { breaches, definitionOf } from "../support/resource-definitions.ts";
import { inProcess } from "../support/in-process.ts";
import { packPlace } from "../support/pack-place.ts";

/** Files of the published definitions, by kind. */
const DEFINED: Readonly<Record<string, string>> = {
  InferenceService: "kserve-inferenceservices",
  ServingRuntime: "kserve-servingruntimes",
  HTTPRoute: "gateway-httproutes",
  GRPCRoute: "gateway-grpcroutes",
  ServiceMonitor: "prometheus-servicemonitors",
  PodMonitor: "prometheus-podmonitors",
  ScaledObject: "keda-scaledobjects",
};

const objects: readonly (readonly [string, Fragment])[] = SERVING_CASES.flatMap(
  ({ name, objects: rendered }) => rendered.map((object) => [name, object] as const),
);

test("every object of a resource that is defined apart is what its published schema allows", async () => {
  const schemas = new Map<string, Awaited<ReturnType<typeof definitionOf>>>();
  for (const [kind, file] of Object.entries(DEFINED)) schemas.set(kind, await definitionOf(file));
  const seen = new Map<string, Fragment>();
  for (const [name, object] of objects) {
    const schema = schemas.get(String(object["kind"]));
    if (schema === undefined) continue;
    seen.set(String(object["kind"]), object);
    assert.deepEqual(
      breaches(schema, { ...object, metadata: {} }),
      [],
      `${name} ${String(object["kind"])}`,
    );
  }
  assert.deepEqual([...seen.keys()].sort(), Object.keys(DEFINED).sort(), "each is rendered");
  for (const [kind, object] of seen) {
    const spec = object["spec"] as Fragment;
    const spoiled = { ...object, metadata: {}, spec: { ...spec, sleepy: 1 } };
    assert.notDeepEqual(breaches(schemas.get(kind) ?? {}, spoiled), [], `${kind} is checked`);
  }
});

const CORE = new Set([
  "Deployment",
  "Service",
  "PodDisruptionBudget",
  "HorizontalPodAutoscaler",
  "NetworkPolicy",
]);

test("every object of Kubernetes' own is what its schemas allow", async (t) => {
  const python = await pythonEnv(t, { packages: ["kubernetes-validate==1.37.0"] });
  if (python === undefined) return;
  const place = inProcess(await packPlace(t, { isBare: true }));
  const validate = async (documents: readonly Fragment[]): Promise<string> => {
    const texts = await Promise.all(documents.map((object) => printYaml(object)));
    await place.write({ "all.yaml": texts.join("---\n") });
    const { exitCode, stdout, stderrTail } = await run(
      [
        join(python.bin, "kubernetes-validate"),
        ...["--strict", "-k", "1.37.0", join(place.root, "all.yaml")],
      ],
      { allowFailure: true },
    );
    return `${exitCode} ${stdout.toString("utf8")}${stderrTail}`;
  };
  const core = objects.filter(([, { kind }]) => CORE.has(String(kind))).map(([, object]) => object);
  assert.deepEqual(new Set(core.map(({ kind }) => kind)), CORE, "each is rendered");
  assert.match(await validate(core), /^0 /);
  const [first = {}] = core;
  assert.match(
    await validate([{ ...first, spec: { ...(first["spec"] as Fragment), nodez: 1 } }]),
    /nodez/,
  );
});
