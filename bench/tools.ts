import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findPeer } from "../test/support/peers.ts";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { startDockerRegistry } from "./lib/peers.ts";
import { createPlace } from "./lib/place.ts";
import { timedRun } from "./lib/timed-run.ts";

/** What Go's module proxy offers of the tools that put files into images without a daemon. */
const GO_TOOLS = {
  crane: "github.com/google/go-containerregistry/cmd/crane@v0.20.6",
  ko: "github.com/google/ko@v0.18.0",
  oras: "oras.land/oras@v1.2.3",
} as const;

const { values } = parseArgs({
  options: {
    gib: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    tools: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const gib = values.quick ? 0.03 : Number(values.gib);
const rounds = values.quick ? 1 : Number(values.rounds);
using place = createPlace();
const kept = values.tools ?? mkdtempSync(join(tmpdir(), "slipway-tools-"));
const tools = Object.fromEntries(
  Object.entries(GO_TOOLS).map(([name, module]) => [name, toolOf(name, module)]),
);
const registry = await startDockerRegistry(place.folder);
const base = `${registry.host}/pybase:latest`;
const project = join(place.folder, "model");
const weights = join(project, "weights.bin");
let edits = 0;

try {
  mkdirSync(project);
  freshWeights();
  edit();
  await place.slipway("base", "debian", "--include", "python3", "--name", "pybase");
  await place.slipway("push", "store:pybase", base);
  for (const contestant of contestants("warm", () => undefined)) await contestant.run(0); // every tool has worked on this machine before
  const cold = await interleave(contestants("cold", freshWeights), rounds);
  await slipway("cold"); // the others' cold rounds made the weights anew; who edits has pushed before
  const edited = await interleave(contestants("cold", edit), rounds);
  const unchanged = await interleave(
    contestants("cold", () => undefined),
    rounds,
  );
  const versions = {
    registry: ["docker-registry", "--version"],
    crane: [tools["crane"] ?? "crane", "version"],
    ko: [tools["ko"] ?? "ko", "version"],
    oras: [tools["oras"] ?? "oras", "version"],
    go: ["go", "version"],
  } as const;
  publish("tools", describeMachine(versions), {
    [`${gib} GiB never seen`]: cold,
    "after a one-line code change": edited,
    "nothing changed": unchanged,
  });
} finally {
  registry.stop();
  if (values.tools === undefined) rmSync(kept, { recursive: true, force: true });
}

/** The tool: what is kept, what is installed here, or what Go can build; undefined when it is not to be had. */
function toolOf(name: string, module: string): string | undefined {
  const own = join(kept, name);
  if (isThere(own)) return own;
  const peer = findPeer(name);
  if (peer !== undefined) return peer;
  const { status } = spawnSync("go", ["install", module], {
    env: { ...process.env, GOBIN: kept, GOFLAGS: "-buildvcs=false" },
    stdio: "ignore",
  });
  if (status === 0) return own;
  process.stderr.write(`  ${name} is not to be had: it is left out\n`);
  return undefined;
}

function isThere(program: string): boolean {
  return spawnSync(program, ["version"], { stdio: "ignore" }).status === 0;
}

function contestants(repository: string, change: () => void): readonly Contestant[] {
  const { crane, ko, oras } = tools;
  return [
    { name: "slipway pack --push", run: () => (change(), slipway(repository)) },
    ...(crane === undefined ? [] : [craneAppend(crane, repository, change)]),
    ...(ko === undefined ? [] : [koBuild(ko, repository, change)]),
    ...(oras === undefined ? [] : [orasPush(oras, repository, change)]),
  ];
}

async function slipway(
  repository: string,
): Promise<{ readonly ms: number; readonly peakMib: number }> {
  const { ms, peakMib } = await place.slipway(
    "pack",
    project,
    "--base",
    base,
    "-t",
    `${registry.host}/slipway-${repository}:1`,
    "--push",
  );
  return { ms, peakMib };
}

/** Weights and code as two layers, as somebody would who minds the code change; crane wants a tar, and making it is part of the job. */
function craneAppend(crane: string, repository: string, change: () => void): Contestant {
  return {
    name: "tar + crane append",
    async run() {
      change();
      const [model, code] = [join(place.folder, "model.tar"), join(place.folder, "code.tar")];
      const runs = [
        await timedRun(tarOf(model, "weights.bin")),
        await timedRun(tarOf(code, "Model.py")),
        await timedRun([
          crane,
          "append",
          "--insecure",
          "-b",
          base,
          "-f",
          model,
          "-f",
          code,
          "-t",
          `${registry.host}/crane-${repository}:1`,
        ]),
      ];
      rmSync(model);
      rmSync(code);
      return summed(runs);
    },
  };
}

function tarOf(path: string, name: string): readonly [string, ...string[]] {
  return [
    "tar",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "-cf",
    path,
    "-C",
    project,
    "--transform",
    "s,^,app/,",
    name,
  ];
}

/** ko packs a Go program; what lies in `kodata` goes along as a layer. The program is the code that changes. */
function koBuild(ko: string, repository: string, change: () => void): Contestant {
  const source = join(place.folder, "ko");
  const env = {
    KO_DOCKER_REPO: `${registry.host}/ko-${repository}`,
    KO_DEFAULTBASEIMAGE: base,
    KOCACHE: join(place.folder, "kocache"),
    GOFLAGS: "-mod=mod",
    GOWORK: "off",
  };
  return {
    name: "ko build --bare",
    async run() {
      change();
      mkdirSync(join(source, "kodata"), { recursive: true });
      writeFileSync(join(source, "go.mod"), "module example.com/server\n\ngo 1.21\n");
      writeFileSync(join(source, "main.go"), `package main\n\nfunc main() { println(${edits}) }\n`);
      if (!existsSync(join(source, "kodata", "weights.bin")))
        symlinkSync(weights, join(source, "kodata", "weights.bin")); // a hard link would touch the file that everybody packs
      return summed([
        await timedRun([ko, "build", "--bare", "--insecure-registry", "--sbom=none", "."], {
          cwd: source,
          env,
        }),
      ]);
    },
  };
}

/** An artifact of two files, with no image to run: the least that is left to do. */
function orasPush(oras: string, repository: string, change: () => void): Contestant {
  return {
    name: "oras push (artifact only)",
    async run() {
      change();
      return summed([
        await timedRun(
          [
            oras,
            "push",
            "--plain-http",
            `${registry.host}/oras-${repository}:1`,
            "weights.bin:application/octet-stream",
            "Model.py:text/x-python",
          ],
          { cwd: project },
        ),
      ]);
    },
  };
}

function summed(runs: readonly { readonly ms: number; readonly peakMib: number }[]): {
  readonly ms: number;
  readonly peakMib: number;
} {
  return {
    ms: runs.reduce((sum, { ms }) => sum + ms, 0),
    peakMib: Math.max(...runs.map(({ peakMib }) => peakMib)),
  };
}

/** Random floats that nobody has seen. */
function freshWeights(): void {
  rmSync(weights, { force: true });
  spawnSync(
    "dd",
    [
      "if=/dev/urandom",
      `of=${weights}`,
      "bs=4M",
      "iflag=fullblock",
      `count=${Math.ceil((gib * 2 ** 30) / 2 ** 22)}`,
    ],
    { stdio: "ignore" },
  );
  appendFileSync(weights, `${process.pid} ${Date.now()}`);
}

function edit(): void {
  edits += 1;
  writeFileSync(
    join(project, "Model.py"),
    `class Model:\n    version = ${edits}\n\n    def predict(self, X, names=None):\n        return X\n`,
  );
}
