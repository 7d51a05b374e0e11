import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { isThere, startDockerRegistry } from "./lib/peers.ts";
import { timedRun, type TimedRun } from "./lib/timed-run.ts";

const { values } = parseArgs({
  options: {
    gib: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    slow: { type: "string", default: "1" },
    result: { type: "string", default: "pack-push" },
    quick: { type: "boolean", default: false },
  },
});
const gib = values.quick ? 0.03 : Number(values.gib);
const bytes = Math.round(gib * 2 ** 30);
const rounds = values.quick ? 1 : Number(values.rounds);
const slowRounds = Number(values.slow);

const place = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const project = join(place, "model");
const weights = join(project, "weights.bin");
const bin = resolve(import.meta.dirname, "../bin/slipway.js");
const env = {
  XDG_DATA_HOME: join(place, "data"),
  XDG_CACHE_HOME: join(place, "cache"),
  XDG_STATE_HOME: join(place, "state"),
  BUILDAH_ISOLATION: "chroot",
  STORAGE_DRIVER: "vfs",
};
const registry = await startDockerRegistry(place);
let generation = 0;
let edits = 0;

try {
  mkdirSync(project);
  makeWeights();
  edit();
  writeFileSync(
    join(project, "Dockerfile"),
    `FROM ${registry.host}/pybase:latest\nCOPY . /app/\nCMD ["python3", "/app/Model.py"]\n`,
  );
  writeFileSync(join(project, ".slipwayignore"), "Dockerfile\n");
  await slipway("base", "debian", "--include", "python3", "--name", "pybase");
  await slipway("push", "store:pybase", `${registry.host}/pybase:latest`);
  await slipway(
    "pack",
    project,
    "--base",
    `${registry.host}/pybase:latest`,
    "-t",
    `${registry.host}/warm:1`,
    "--push",
  ); // the tool's own layers are made once a machine

  const cold = await interleave(
    [ours("cold", freshWeights), curl(), ...peers("cold", freshWeights)],
    rounds,
  );
  await ours("cold", () => undefined).run(0); // the peers' cold rounds made the weights anew; who edits has pushed before
  const edited = await interleave([ours("cold", edit), ...peers("cold", edit)], rounds);
  const unchanged = await interleave(
    [ours("cold", () => undefined), ...peers("cold", () => undefined)],
    rounds,
  );
  publish(
    values.result,
    describeMachine({
      docker: ["docker", "--version"],
      buildah: ["buildah", "--version"],
      crane: ["crane", "version"],
      registry: ["docker-registry", "--version"],
    }),
    {
      [`cold, ${gib} GiB never seen`]: cold,
      "after a one-line code change": edited,
      "nothing changed": unchanged,
    },
  );
} finally {
  registry.stop();
  rmSync(place, { recursive: true, force: true });
}

function slipway(...args: readonly string[]): Promise<TimedRun> {
  return timedRun([process.execPath, bin, ...args], { env });
}

/** Pack and push as one command. `sent` is what went over the wire, MiB; `peak` the tool's memory, MiB. */
function ours(repository: string, change: () => void): Contestant {
  return {
    name: "slipway pack --push",
    async run() {
      prepare(change);
      const { ms, peakMib, stdout } = await slipway(
        "pack",
        project,
        "--base",
        `${registry.host}/pybase:latest`,
        "-t",
        `${registry.host}/${repository}:1`,
        "--push",
        "--json",
      );
      const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as {
        readonly bytesUploaded?: number;
      };
      return { ms, peakMib, sentKib: (result.bytesUploaded ?? 0) / 1024 };
    },
  };
}

/** The same bytes, nothing else: what the registry and the disk allow. */
function curl(): Contestant {
  return {
    name: "curl PUT of the same bytes",
    async run() {
      prepare(freshWeights);
      const digest = await sha256(weights);
      const started = await fetch(`http://${registry.host}/v2/curl/blobs/uploads/`, {
        method: "POST",
      });
      const location = started.headers.get("location") ?? "";
      const url = `${location}${location.includes("?") ? "&" : "?"}digest=${digest}`;
      const { ms } = await timedRun([
        "curl",
        "-sf",
        "-X",
        "PUT",
        "-H",
        "Content-Type: application/octet-stream",
        "-T",
        weights,
        url,
      ]);
      return { ms };
    },
  };
}

function peers(repository: string, change: () => void): readonly Contestant[] {
  const found: Contestant[] = [];
  if (isThere("crane", ["version"])) found.push(crane(repository, change));
  if (isThere("buildah"))
    found.push(
      twoSteps(
        "buildah bud + push",
        change,
        [
          "buildah",
          "bud",
          "--layers",
          "--tls-verify=false",
          "-q",
          "-t",
          `${registry.host}/buildah-${repository}:1`,
          project,
        ],
        ["buildah", "push", "-q", "--tls-verify=false", `${registry.host}/buildah-${repository}:1`],
      ),
    );
  if (isThere("docker", ["info"]))
    found.push(
      twoSteps(
        "docker build + push",
        change,
        ["docker", "build", "-q", "-t", `${registry.host}/docker-${repository}:1`, project],
        ["docker", "push", "-q", `${registry.host}/docker-${repository}:1`],
      ),
    );
  return found;
}

/** `crane append` wants a tar that somebody made; making it is part of the job. */
function crane(repository: string, change: () => void): Contestant {
  return {
    name: "tar + crane append",
    async run() {
      prepare(change);
      const tar = join(place, "crane.tar");
      const made = await timedRun([
        "tar",
        "-cf",
        tar,
        "-C",
        project,
        "--transform",
        "s,^,app/,",
        "Model.py",
        "weights.bin",
      ]);
      const pushed = await timedRun([
        "crane",
        "append",
        "--insecure",
        "-b",
        `${registry.host}/pybase:latest`,
        "-f",
        tar,
        "-t",
        `${registry.host}/crane-${repository}:1`,
      ]);
      rmSync(tar);
      return { ms: made.ms + pushed.ms };
    },
  };
}

function twoSteps(
  name: string,
  change: () => void,
  build: readonly [string, ...string[]],
  push: readonly [string, ...string[]],
): Contestant {
  return {
    name,
    maxRounds: slowRounds,
    async run() {
      prepare(change);
      const [built, pushed] = [await timedRun(build, { env }), await timedRun(push, { env })];
      return { ms: built.ms + pushed.ms };
    },
  };
}

/** What is to be packed, and a disk that is not still writing what somebody else left to be written. */
function prepare(change: () => void): void {
  change();
  spawnSync("sync");
}

/** Random floats, from the kernel. */
function makeWeights(): void {
  const result = spawnSync(
    "dd",
    [
      "if=/dev/urandom",
      `of=${weights}`,
      "bs=4M",
      "iflag=fullblock",
      `count=${Math.ceil(bytes / 2 ** 22)}`,
    ],
    { stdio: "ignore" },
  );
  if (result.status !== 0 || !existsSync(weights)) throw new Error("could not make the weights");
  truncateSync(weights, bytes);
  if (statSync(weights).size !== bytes) throw new Error("the weights are short");
}

/** Other content of the same size: every block that a cache could know is new by its first bytes. */
function freshWeights(): void {
  const file = openSync(weights, "r+");
  generation += 1;
  writeSync(
    file,
    Buffer.from(`generation ${generation} ${process.pid} ${Date.now()}`),
    0,
    undefined,
    0,
  );
  closeSync(file);
}

function edit(): void {
  edits += 1;
  writeFileSync(
    join(project, "Model.py"),
    `class Model:\n    version = ${edits}\n\n    def predict(self, X, names=None):\n        return X\n`,
  );
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }))
    hash.update(chunk as Uint8Array);
  return `sha256:${hash.digest("hex")}`;
}
