import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  commandLines,
  FRAMEWORKS,
  imagesOf,
  jobCommands,
  parseJob,
  parsePlan,
  printPlan,
  type Framework,
  type TrainValues,
} from "./index.ts";

// A change here is one that users' scripts see: review it, then run the test once with SLIPWAY_UPDATE_GOLDEN=1.
const GOLDEN = join(import.meta.dirname, "../../../test/fixtures/golden/train");

const EXAMPLE = "/home/ubuntu/uai-sdk/examples/pytorch/train/mnist";
const VALUES: TrainValues = {
  public_key: "xxxx",
  private_key: "xxxx",
  code_path: "./code/",
  mainfile_path: "mnist.py",
  uhub_username: "xxxx",
  uhub_password: "xxxx",
  uhub_registry: "fanrongtest",
  uhub_imagename: "pytorch-mnist",
  test_data_path: `${EXAMPLE}/data`,
  test_output_path: `${EXAMPLE}/output`,
  ai_arch_v: "pytorch-0.2.0",
};
const OWN: Readonly<Record<Framework, TrainValues>> = {
  pytorch: {},
  tf: {
    ai_arch_v: "tensorflow-1.4.0",
    uhub_imagename: "tf-mnist",
    train_params: "--max_step=2000",
  },
  keras: { ai_arch_v: "keras-2.0.8", uhub_imagename: "keras-mnist" },
  caffe: {
    ai_arch_v: "caffe-1.0.0",
    uhub_imagename: "caffe-mnist",
    mainfile_path: "train.py",
    solver: "lenet_solver.prototxt",
  },
  mxnet: {
    ai_arch_v: "mxnet-1.0.0",
    uhub_imagename: "mxnet-mnist",
    mainfile_path: "tools/train_mnist.py",
    train_params: "--num-epochs 2",
    num_gpus: "2",
  },
  self: {
    ai_arch_v: undefined,
    self_img: "registry.example.com/base:1",
    uhub_imagename: "self-mnist",
  },
};
const PATHS = { data: `${EXAMPLE}/data`, output: `${EXAMPLE}/output` };
const jobOf = (framework: Framework, change: TrainValues = {}): ReturnType<typeof parseJob> =>
  parseJob(framework, { ...VALUES, ...OWN[framework], ...change });

for (const framework of FRAMEWORKS) {
  for (const accelerator of ["gpu", "cpu"]) {
    test(`the command file of ${framework} for ${accelerator} is what it always was`, () => {
      const path = join(GOLDEN, `${framework}-${accelerator}.txt`);
      const text = `${commandLines(jobOf(framework, { acc_type: accelerator.toUpperCase() }), PATHS).join("\n")}\n`;
      if (process.env["SLIPWAY_UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
      assert.equal(text, readFileSync(path, "utf8"));
    });
  }
}

for (const framework of FRAMEWORKS) {
  for (const accelerator of ["gpu", "cpu"]) {
    test(`the plan of ${framework} for ${accelerator} is what programs read`, () => {
      const path = join(GOLDEN, `${framework}-${accelerator}.json`);
      const job = jobOf(framework, { acc_type: accelerator });
      const { cpu, gpu } = imagesOf(job);
      const digest = (digit: string): `sha256:${string}` => `sha256:${digit.repeat(64)}`;
      const images = {
        ...(cpu === undefined ? {} : { cpu: { name: cpu, digest: digest("a"), isPushed: false } }),
        ...(gpu === undefined ? {} : { gpu: { name: gpu, digest: digest("b"), isPushed: true } }),
      };
      const text = printPlan(job, { paths: PATHS, codePath: `${EXAMPLE}/code`, images });
      if (process.env["SLIPWAY_UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
      assert.equal(text, readFileSync(path, "utf8"));
    });
  }
}

test("the lines of the documents' sample come out of the documents' command", () => {
  const tail = `/bin/bash -c "cd /data && /usr/bin/python /data/mnist.py  --work_dir=/data --data_dir=/data/data --output_dir=/data/output --log_dir=/data/output"`;
  const mounts = `-it -v ${EXAMPLE}/data:/data/data -v ${EXAMPLE}/output:/data/output`;
  assert.deepEqual(commandLines(jobOf("pytorch", { internal_uhub: "true" }), PATHS), [
    "CMD Used for deploying: /data/mnist.py",
    `CMD for CPU local test: sudo docker run ${mounts} pytorch-mnist-cpu:uaitrain ${tail}`,
    `CMD for GPU local test: sudo nvidia-docker run ${mounts} uhub.service.ucloud.cn/fanrongtest/pytorch-mnist:uaitrain ${tail}`,
  ]);
});

test("the number of cards is in the GPU line only, and only when it was given", () => {
  const [, cpu = "", gpu = ""] = commandLines(jobOf("keras", { num_gpus: "4" }), PATHS);
  assert.ok(!cpu.includes("num_gpus"));
  assert.match(gpu, /mnist\.py {2}--num_gpus=4 --work_dir/);
  assert.ok(!commandLines(jobOf("keras"), PATHS).join().includes("num_gpus"));
});

test("a pasted line hands on exactly the words of the array, whatever is in paths and parameters", () => {
  const hostile = {
    mainfile_path: "my $HOME 'train'.py",
    train_params: String.raw`--name "a b" --re '^x$' --tick \` --bang '!x' --back "\\" --sum "$((1+1)) $HOME" *.py ~ # end`,
  };
  const paths = { data: "/data set/it's", output: "/out $HOME" };
  const job = jobOf("pytorch", hostile);
  const { cpu, gpu, cpuProgram } = jobCommands(job, paths);
  const [, cpuLine = "", gpuLine = ""] = commandLines(job, paths);
  assert.deepEqual(wordsOf(cpuLine), cpu);
  assert.deepEqual(wordsOf(gpuLine), gpu);
  const script = cpu?.at(-1) ?? "";
  const inner = execFileSync(
    "bash",
    ["-c", `set -- ${script.replace("cd /data && ", "")}; printf '%s\\0' "$@"`],
    { encoding: "utf8" },
  );
  assert.deepEqual(inner.split("\0").slice(0, -1), cpuProgram);
});

/** What a shell starts, when it is given a line of the command file. */
function wordsOf(line: string): readonly string[] {
  const text = execFileSync(
    "bash",
    ["-c", `set -- ${line.slice(line.indexOf(": ") + 2)}; printf '%s\\0' "$@"`],
    { encoding: "utf8" },
  );
  return text.split("\0").slice(0, -1);
}

test("what is wrong with the flags is said at once", () => {
  assert.throws(
    () =>
      parseJob("pytorch", {
        mainfile_path: "../x.py",
        code_path: "code",
        acc_type: "tpu",
        internal_uhub: "maybe",
        train_params: "'open",
      }),
    {
      code: "USAGE",
      message:
        /--ai_arch_v, --uhub_registry, --uhub_imagename, --test_data_path, --test_output_path are missing; --internal_uhub "maybe".*--acc_type "tpu".*mainfile_path "\.\.\/x\.py".*a ' is not closed/,
    },
  );
  assert.throws(() => jobOf("caffe", { solver: "" }), { message: /--solver is missing/ });
  assert.throws(() => jobOf("self", { self_img: "" }), { message: /--self_img is missing/ });
  assert.throws(() => jobOf("pytorch", { uhub_imagename: "Mnist" }), { message: /upper-case/ });
  assert.throws(() => jobOf("pytorch", { uhub_imagename: "mnist:v1" }), {
    message: /uhub_imagetag/,
  });
});

test("paths are taken with and without a slash at the end, and absolute", () => {
  assert.equal(
    jobOf("pytorch", { code_path: "/src/code/", mainfile_path: "/src/code/tools/train.py" })
      .mainFile,
    "tools/train.py",
  );
  assert.equal(
    jobOf("pytorch", { code_path: "code", mainfile_path: "./tools//train.py" }).mainFile,
    "tools/train.py",
  );
});

test("an empty tag means the usual one, and a host before the namespace names another registry", () => {
  assert.deepEqual(jobOf("pytorch", { uhub_imagetag: "" }).names, {
    cpu: "pytorch-mnist-cpu:uaitrain",
    gpu: "uhub.ucloud.cn/fanrongtest/pytorch-mnist:uaitrain",
  });
  assert.equal(
    jobOf("pytorch", { uhub_registry: "localhost:5000/team", uhub_imagetag: "v2" }).names.gpu,
    "localhost:5000/team/pytorch-mnist:v2",
  );
  assert.equal(
    jobOf("pytorch", { uhub_registry: "localhost:5000" }).names.gpu,
    "localhost:5000/pytorch-mnist:uaitrain",
  );
});

test("the plan is read back as it was written, and a damaged one is refused by key", () => {
  const job = jobOf("mxnet");
  const images = {
    gpu: { name: job.names.gpu, digest: `sha256:${"a".repeat(64)}` as const, isPushed: true },
  };
  const text = printPlan(job, { paths: PATHS, codePath: "/src/code", images });
  const plan = parsePlan(text, "slipway-train.json");
  assert.deepEqual(plan.commands.gpuToday?.slice(0, 5), ["docker", "run", "-it", "--gpus", "all"]);
  assert.deepEqual(plan.commands.deploy, ["/data/tools/train_mnist.py", "--num-epochs", "2"]);
  assert.deepEqual(plan.images, images);
  assert.ok(!text.includes("xxxx"));
  assert.throws(() => parsePlan(text.replace('"framework": "mxnet"', '"framework": "x"'), "f"), {
    code: "PROJECT_INVALID",
    message: /"framework"/,
  });
  assert.throws(() => parsePlan("{", "f"), { code: "PROJECT_INVALID", message: /not JSON/ });
  assert.throws(() => parsePlan(text.replace(/"deploy": \[[^\]]*\]/, '"deploy": []'), "f"), {
    message: /commands\.deploy/,
  });
});

test("a shell script is started by way of Python, which the platform puts before it, and a module by its name", () => {
  const lines = (mainfile_path: string, train_params = ""): readonly string[] =>
    commandLines(parseJob("pytorch", { ...VALUES, mainfile_path, train_params }), PATHS);
  assert.equal(
    lines("scripts/run.sh", "--lr 0.1")[0],
    "CMD Used for deploying: -m uaitrain.shell /data/scripts/run.sh --lr 0.1",
  );
  assert.match(
    lines("run.sh")[1] ?? "",
    /cd \/data && \/usr\/bin\/python -m uaitrain\.shell \/data\/run\.sh /,
  );
  assert.equal(
    lines("-m pkg.train", "-n 'a b'")[0],
    "CMD Used for deploying: -m pkg.train -n 'a b'",
  );
  const { cpuProgram } = jobCommands(
    parseJob("pytorch", { ...VALUES, mainfile_path: "-m pkg.train" }),
    PATHS,
  );
  assert.deepEqual(cpuProgram.slice(0, 3), ["/usr/bin/python", "-m", "pkg.train"]);
});
