import {
  MANIFEST_KINDS,
  parseJob,
  parsePlan,
  printPlan,
  renderManifest,
  type Framework,
  type ManifestKind,
  type ManifestOptions,
  type TrainPlan,
} from "../../src/jobs/train/index.ts";
import type { ServingCase } from "./serving-cases.ts";

const DIGEST = `sha256:${"b".repeat(64)}` as const;
export const IMAGE: string = `registry.example.com/team/mnist@${DIGEST}`;

export function planText(framework: Framework): string {
  const job = parseJob(framework, {
    code_path: "code",
    mainfile_path: "train.py",
    uhub_registry: "registry.example.com/team",
    uhub_imagename: "mnist",
    test_data_path: "/d",
    test_output_path: "/o",
    train_params: "--epochs 3 --name 'a b'",
    ...(framework === "self" ? { self_img: "x" } : { bimg_name: "x" }),
    ...(framework === "caffe" ? { solver: "s.prototxt" } : {}),
  });
  return printPlan(job, {
    paths: { data: "/d", output: "/o" },
    codePath: "/code",
    images: { gpu: { name: job.names.gpu, digest: DIGEST, isPushed: true } },
  });
}

export const planOf = (framework: Framework): TrainPlan => parsePlan(planText(framework), "plan");
export const RICH: ManifestOptions = {
  name: "mnist",
  namespace: "ml",
  nodes: 3,
  gpus: 2,
  cpus: "4",
  memory: "16Gi",
  sharedMemory: "8Gi",
  data: "pvc:sets/mnist",
  output: "nfs:10.0.0.1:/results",
  backoff: 2,
  ttlS: 600,
  queue: "team",
  pullSecret: "reg",
  nodeSelector: { accelerator: "a100" },
  tolerations: [
    { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" },
    { key: "team", operator: "Equal", value: "ml" },
  ],
  serviceAccount: "trainer",
  priorityClass: "high",
  env: [
    { name: "TOKEN", secret: "hub", key: "token" },
    { name: "LOG_LEVEL", value: "debug" },
  ],
  parameters: ["--epochs", "90"],
  deadlineS: 3600,
  graceS: 120,
  runAs: { user: 1000, group: 2000 },
};
/** What a TrainJob of the oldest Trainer can say: its schema is the one that Go modules have. */
export const TRAINJOB: ManifestOptions = {
  ...RICH,
  backoff: undefined,
  ttlS: undefined,
  pullSecret: undefined,
  priorityClass: undefined,
  deadlineS: undefined,
  graceS: undefined,
  runAs: undefined,
  trainer: "2.0",
};
export const richFor = (kind: ManifestKind): ManifestOptions => ({
  ...(kind === "trainjob" ? TRAINJOB : RICH),
  kind,
  ...(kind === "tfjob" ? { servers: 2 } : {}),
  ...(kind === "mpijob" ? { runAs: undefined } : {}),
});
export const FRAMEWORK: Readonly<Record<ManifestKind, Framework>> = {
  job: "pytorch",
  pytorchjob: "pytorch",
  tfjob: "tf",
  mpijob: "mxnet",
  trainjob: "pytorch",
};

/** Every kind of job with few options and with all; TrainJobs as the newest Trainer has them. */
export const TRAINING_CASES: readonly ServingCase[] = MANIFEST_KINDS.map((kind) => ({
  name: kind,
  objects: [
    { kind, name: "mnist" } as const,
    { ...richFor(kind), kind, ...(kind === "trainjob" ? { trainer: "2.2" as const } : {}) },
  ].map((options) =>
    renderManifest(
      planOf(FRAMEWORK[kind]),
      { reference: IMAGE },
      { ...options, nodes: kind === "job" ? 1 : 3 },
    ),
  ),
}));
