import assert from "node:assert/strict";
import { chmod, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import {
  FRAMEWORKS,
  MANIFEST_KINDS,
  renderManifest,
  type Framework,
  type ManifestKind,
  type ManifestOptions,
} from "../../src/jobs/train/index.ts";
import { run } from "../../src/ground/process/index.ts";
import { breaches, definitionOf } from "../support/resource-definitions.ts";
import { pythonEnv } from "../support/python-env.ts";
import { inProcess, printTrainManifest } from "../support/in-process.ts";
import { packPlace } from "../support/pack-place.ts";
import {
  FRAMEWORK,
  IMAGE,
  planOf,
  planText,
  RICH,
  richFor,
  TRAINJOB,
} from "../support/training-cases.ts";

/** The operators' own definitions. */
const FILES: Readonly<Record<Exclude<ManifestKind, "job">, string>> = {
  pytorchjob: "to1-pytorchjobs",
  tfjob: "to1-tfjobs",
  mpijob: "mpi-mpijobs",
  trainjob: "trainer-trainjobs",
};

for (const kind of MANIFEST_KINDS) {
  if (kind === "job") continue;
  test(`a ${kind} is what its published schema allows, with few options and with all`, async () => {
    const schema = await definitionOf(FILES[kind]);
    for (const options of [{ kind, name: "mnist", trainer: "2.0" as const }, richFor(kind)]) {
      const manifest = renderManifest(planOf(FRAMEWORK[kind]), { reference: IMAGE }, options);
      assert.deepEqual(breaches(schema, { ...manifest, metadata: {} }), []);
    }
    const spoiled = JSON.parse(
      JSON.stringify(
        renderManifest(planOf(FRAMEWORK[kind]), { reference: IMAGE }, richFor(kind)),
      ).replace('"volumes"', '"volumez"'),
    ) as object;
    assert.notDeepEqual(
      breaches(schema, { ...spoiled, metadata: {} }),
      [],
      "the check sees what is wrong",
    );
  });
}

test("a TrainJob of Trainer 2.2 is what its published schema allows, with the user and the deadline", async () => {
  const schema = await definitionOf("trainer22-trainjobs");
  const options = { ...TRAINJOB, kind: "trainjob", trainer: "2.2", pullSecret: "reg" } as const;
  const manifest = renderManifest(
    planOf("pytorch"),
    { reference: IMAGE },
    { ...options, deadlineS: 3600, runAs: RICH.runAs },
  );
  assert.deepEqual(breaches(schema, { ...manifest, metadata: {} }), []);
});

test("a Job is what Kubernetes' own schemas allow, with few options and with all", async (t) => {
  const python = await pythonEnv(t, { packages: ["kubernetes-validate==1.37.0"] });
  if (python === undefined) return;
  const place = inProcess(await packPlace(t, { isBare: true }));
  const validate = async (manifest: unknown): Promise<string> => {
    await place.write({ "job.json": JSON.stringify(manifest) });
    const { exitCode, stdout } = await run(
      [
        join(python.bin, "kubernetes-validate"),
        "--strict",
        "-k",
        "1.37.0",
        join(place.root, "job.json"),
      ],
      { allowFailure: true },
    );
    return `${exitCode} ${stdout.toString("utf8")}`;
  };
  for (const framework of FRAMEWORKS) {
    for (const options of [
      { name: "m" },
      { ...RICH, nodes: 1, ...(framework === "caffe" ? {} : { processes: 2 }) },
    ]) {
      const job = renderManifest(planOf(framework), { reference: IMAGE }, options) as {
        readonly spec: { readonly backoffLimit: number; readonly ttlSecondsAfterFinished: number };
      };
      assert.match(await validate(job), /^0 /, `${framework} ${JSON.stringify(options)}`);
      if ("ttlS" in options)
        assert.deepEqual([job.spec.backoffLimit, job.spec.ttlSecondsAfterFinished], [2, 600]);
    }
  }
  const spoiled: unknown = JSON.parse(
    JSON.stringify(renderManifest(planOf("pytorch"), { reference: IMAGE }, { name: "m" })).replace(
      '"backoffLimit"',
      '"backofLimit"',
    ),
  );
  assert.match(
    await validate(spoiled),
    /^[1-9]\d* [^]*backofLimit/,
    "the check sees what is wrong",
  );
});

// The package's classes are made from the API's own description, and let go what it does not have.
const READ_BACK = `import json, sys
from kubeflow_trainer_api.models import TrainerV1alpha1TrainJob
given = json.load(sys.stdin)
print(json.dumps(TrainerV1alpha1TrainJob.from_dict(given).to_dict()))
`;

for (const [trainer, version] of [
  ["2.0", "2.0.1"],
  ["2.1", "2.1.0"],
  ["2.2", "2.2.1"],
  ["2.2", "2.3.0"],
] as const) {
  test(`a TrainJob for ${trainer} is whole for Kubeflow Trainer ${version}`, async (t) => {
    const python = await pythonEnv(t, { packages: [`kubeflow-trainer-api==${version}`] });
    if (python === undefined) return;
    const readBack = async (manifest: unknown): Promise<unknown> =>
      JSON.parse(
        (
          await run([python.python, "-c", READ_BACK], { stdin: JSON.stringify(manifest) })
        ).stdout.toString("utf8"),
      );
    const options: ManifestOptions = {
      ...TRAINJOB,
      kind: "trainjob",
      trainer,
      ...(trainer === "2.0" ? {} : { pullSecret: "reg" }),
    };
    const manifest = renderManifest(planOf("pytorch"), { reference: IMAGE }, options);
    assert.deepEqual(await readBack(manifest), manifest);
    const text = JSON.stringify(manifest);
    for (const part of [
      IMAGE,
      '"claimName":"sets"',
      '"mountPath":"/data/output"',
      '"sizeLimit":"8Gi"',
      '"accelerator":"a100"',
      '"torch.distributed.run"',
      '\\"cwd\\":\\"/data\\"',
    ])
      assert.ok(text.includes(part), part);
    const other = renderManifest(
      planOf("pytorch"),
      { reference: IMAGE },
      { ...options, pullSecret: undefined, trainer: trainer === "2.1" ? "2.0" : "2.1" },
    );
    assert.notDeepEqual(await readBack(other), other, "what another version says is not taken");
  });
}

test("every object has the image by digest, the volumes where scripts look, cards, shared memory and the queue", () => {
  for (const kind of MANIFEST_KINDS) {
    const text = JSON.stringify(
      renderManifest(
        planOf(FRAMEWORK[kind]),
        { reference: IMAGE },
        { ...richFor(kind), nodes: kind === "job" ? 1 : 3 },
      ),
    );
    for (const part of [
      IMAGE,
      '"claimName":"sets"',
      '"subPath":"mnist"',
      '"server":"10.0.0.1"',
      '"mountPath":"/data/data"',
      '"mountPath":"/data/output"',
      '"mountPath":"/dev/shm"',
      '"sizeLimit":"8Gi"',
      '"nvidia.com/gpu":"2"',
      '"kueue.x-k8s.io/queue-name":"team"',
      '"a b"',
      '"--epochs","90"',
      '"tolerations":[{"key":"nvidia.com/gpu"',
      '"secretKeyRef":{"name":"hub","key":"token"}',
      '"serviceAccountName":"trainer"',
    ]) {
      assert.ok(text.includes(part), `${kind}: ${part}`);
    }
  }
});

test("what a cluster would refuse later is refused now, by its flag", () => {
  const wrong: readonly (readonly [Partial<ManifestOptions>, RegExp])[] = [
    [{ queue: "a b" }, /--queue "a b"/],
    [{ nodeSelector: { "": "foo" } }, /--node-selector "=foo"/],
    [{ nodeSelector: { a: "b c" } }, /--node-selector "a=b c"/],
    [{ env: [{ name: "1X", value: "" }] }, /"1X"/],
    [{ kind: "trainjob", graceS: 3 }, /a grace period/],
    [{ kind: "trainjob", trainer: "2.1", deadlineS: 3 }, /a deadline/],
    [{ kind: "mpijob", runAs: { user: 1, group: 1 } }, /MPIJob/],
  ];
  for (const [options, message] of wrong)
    assert.throws(
      () => renderManifest(planOf("pytorch"), { reference: IMAGE }, { name: "m", ...options }),
      { code: "USAGE", message },
    );
});

test("a finished job gives its cards back", () => {
  for (const kind of ["pytorchjob", "tfjob", "mpijob"] as const) {
    const { apiVersion, spec } = renderManifest(
      planOf(FRAMEWORK[kind]),
      { reference: IMAGE },
      richFor(kind),
    ) as { readonly apiVersion: string; readonly spec: { readonly runPolicy: unknown } };
    assert.equal(apiVersion, kind === "mpijob" ? "kubeflow.org/v2beta1" : "kubeflow.org/v1");
    assert.deepEqual(spec.runPolicy, {
      cleanPodPolicy: "Running",
      backoffLimit: 2,
      activeDeadlineSeconds: 3600,
      ttlSecondsAfterFinished: 600,
    });
  }
});

test("several processes on a node are started by torch, and a single one is not", () => {
  const command = (options: Partial<ManifestOptions>): string =>
    JSON.stringify(
      renderManifest(planOf("pytorch"), { reference: IMAGE }, { name: "m", ...options }),
    );
  assert.ok(
    command({ gpus: 4 }).includes(
      '"-m","torch.distributed.run","--standalone","--nproc_per_node=4","/data/train.py"',
    ),
  );
  assert.ok(command({ gpus: 4, nodes: 2 }).includes('"nprocPerNode":"4"'));
  assert.ok(!command({ gpus: 1 }).includes("torch.distributed.run"));
  assert.ok(!command({ kind: "trainjob" }).includes("torch.distributed.run"));
  assert.ok(
    command({ kind: "trainjob", nodes: 2 }).includes("torch.distributed.run"),
    "Kubeflow Trainer gives its variables to this launcher only",
  );
});

test("several processes of the other frameworks on one node get what they want of our launcher", () => {
  const command = (framework: Framework, options: Partial<ManifestOptions>): string =>
    JSON.stringify(
      renderManifest(planOf(framework), { reference: IMAGE }, { name: "m", ...options }),
    );
  assert.match(
    command("tf", { processes: 2, gpus: 2 }),
    /launch\.py.*TF_CONFIG.*TF_CONFIG.*"\/data\/train\.py"/,
  );
  assert.match(command("mxnet", { processes: 2 }), /launch\.py.*DMLC_ROLE/);
  assert.ok(!command("tf", { gpus: 4 }).includes("launch.py"), "one process has all the cards");
  for (const [kind, value] of [
    ["job", "1"],
    ["pytorchjob", "3"],
  ] as const) {
    const text = JSON.stringify(
      renderManifest(
        planOf("pytorch"),
        { reference: IMAGE },
        { name: "m", kind, nodes: Number(value), gpus: 1 },
      ),
    );
    assert.ok(
      text.includes(
        `{"name":"WORKER_NUM","value":"${value}"},{"name":"WORKER_GPU_NUM","value":"1"},{"name":"LOCAL_RANK","value":"0"}`,
      ),
      text,
    );
  }
});

test("a job without cards runs the CPU command", () => {
  const text = JSON.stringify(renderManifest(planOf("caffe"), { reference: IMAGE }, { name: "m" }));
  assert.ok(text.includes("--use_cpu=True") && !text.includes("nvidia"));
});

test("what does not go together is refused", () => {
  const render = (options: Partial<ManifestOptions>): unknown =>
    renderManifest(planOf("pytorch"), { reference: IMAGE }, { name: "m", ...options });
  for (const options of [
    { kind: "job" as const, nodes: 2 },
    { servers: 1 },
    { name: "Not_A_Label" },
    { data: "s3://x" },
    { memory: "lots" },
    { kind: "trainjob" as const, backoff: 1 },
    { kind: "trainjob" as const, trainer: "2.0" as const, pullSecret: "x" },
  ])
    assert.throws(() => render(options), { code: "USAGE" }, JSON.stringify(options));
  assert.throws(
    () => renderManifest(planOf("tf"), { reference: IMAGE }, { name: "m", kind: "trainjob" }),
    { code: "USAGE", hint: /--runtime/ },
  );
});

test("--apply hands the object to kubectl, and an image that was not pushed goes nowhere", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  const bin = join(place.root, "bin");
  await mkdir(bin);
  await place.write({
    "slipway-train.json": planText("pytorch"),
    "bin/kubectl": `#!/bin/sh\nprintf '%s\\n' "$@" > "${place.root}/args"\ncat > "${place.root}/stdin"\necho applied\n`,
  });
  await chmod(join(bin, "kubectl"), 0o755);
  const { session } = place.cli;
  const environment = {
    ...session.environment,
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
  };
  const cli = { ...place.cli, session: { ...session, environment } };
  await printTrainManifest(
    ["--epochs", "9"],
    {
      apply: true,
      set: ["metadata.labels.owner=me"],
      toleration: ["nvidia.com/gpu"],
      secretEnv: ["HF=hub/token"],
      namespace: "ml",
      context: "prod",
      nodes: "2",
    },
    cli,
  );
  const applied = await readFile(join(place.root, "stdin"), "utf8");
  assert.equal((parse(applied) as { readonly kind: string }).kind, "PyTorchJob");
  for (const part of ["owner: me", "key: nvidia.com/gpu", "name: hub", "--epochs"])
    assert.ok(applied.includes(part), part);
  assert.deepEqual(place.lines, ["applied"]);
  await place.write({
    "slipway-train.json": planText("pytorch").replace('"isPushed": true', '"isPushed": false'),
  });
  await assert.rejects(printTrainManifest([], {}, place.cli), {
    code: "USAGE",
    message: /no image of the plan was pushed/,
  });
  for (const flags of [
    { nodeSelector: ["foo"] },
    { toleration: ["a b"] },
    { toleration: [""] },
    { secretEnv: ["HF=hf_value"] },
    { env: ["NAME"] },
    { runAs: "0" },
    { set: ["nothing"] },
  ])
    await assert.rejects(printTrainManifest([], flags, place.cli), (error: unknown) => {
      assert.ok(!String(error).includes("hf_value"), "no secret is repeated");
      return (error as { readonly code?: string }).code === "USAGE";
    });
});
