import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { isThere, startDockerRegistry } from "./lib/peers.ts";
import { timedRun, type TimedRun } from "./lib/timed-run.ts";

/**
 * A Dockerfile with weights and code: build and push after a one-line change of code, with weights and code copied apart, and copied
 * together as the documents do it (`ADD ./code/ …` with the weights inside). `buildctl` is a peer where BUILDKIT_HOST names a daemon
 * that may speak plain HTTP to the registry on `--port`.
 */
const { values } = parseArgs({
  options: {
    gib: { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
    slow: { type: "string", default: "2" },
    registry: { type: "string" },
    layouts: { type: "string", default: "apart,together" },
    quick: { type: "boolean", default: false },
  },
});
const gib = values.quick ? 0.03 : Number(values.gib);
const rounds = values.quick ? 1 : Number(values.rounds);

const place = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const context = join(place, "context");
const bin = resolve(import.meta.dirname, "../bin/slipway.js");
const env = {
  XDG_DATA_HOME: join(place, "data"),
  XDG_CACHE_HOME: join(place, "cache"),
  XDG_STATE_HOME: join(place, "state"),
};
const registry =
  values.registry === undefined
    ? await startDockerRegistry(place)
    : { host: values.registry, stop: () => undefined };
let edits = 0;

/** By how weights and code get into the image. */
const DOCKERFILES: Readonly<Record<string, string>> = {
  apart:
    'FROM scratch\nCOPY code/weights.bin /models/\nCOPY code/Model.py /app/\nCMD ["/app/Model.py"]\n',
  together: 'FROM scratch\nADD ./code/ /app/\nCMD ["/app/Model.py"]\n',
};

try {
  mkdirSync(join(context, "code"), { recursive: true });
  makeWeights(join(context, "code/weights.bin"), Math.round(gib * 2 ** 30));
  const parts: Record<string, Awaited<ReturnType<typeof interleave>>> = {};
  for (const layout of values.layouts.split(",")) {
    writeFileSync(join(context, "Dockerfile"), DOCKERFILES[layout] ?? "");
    const contestants = [ours(), ...peers()];
    for (const contestant of contestants) await contestant.run(0); // the weights are sent once
    parts[`${gib} GiB of weights, copied ${layout}, after a one-line code change`] =
      await interleave(contestants, rounds);
  }
  publish(
    "build-dockerfile",
    describeMachine({
      docker: ["docker", "--version"],
      buildah: ["buildah", "--version"],
      buildctl: ["buildctl", "--version"],
      registry: ["docker-registry", "--version"],
    }),
    parts,
  );
} finally {
  registry.stop();
  rmSync(place, { recursive: true, force: true });
}

function makeWeights(path: string, bytes: number): void {
  const file = openSync(path, "w");
  for (let left = bytes; left > 0; left -= 2 ** 24)
    writeSync(file, randomBytes(Math.min(left, 2 ** 24)));
  closeSync(file);
}

/** Every run has code that nobody has seen. */
function edit(): void {
  writeFileSync(join(context, "code/Model.py"), `print(${(edits += 1)})\n`);
}

function ours(): Contestant {
  return {
    name: "slipway build --push",
    async run() {
      edit();
      const name = `${registry.host}/build/slipway:1`;
      const { ms, peakMib, cpuMs, stdout } = await timedRun(
        [process.execPath, bin, "build", "-t", name, context, "--push", "--json"],
        { env, measuresCpu: true },
      );
      const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as {
        readonly bytesUploaded?: number;
      };
      return { ms, peakMib, cpuMs, sentKib: (result.bytesUploaded ?? 0) / 1024 };
    },
  };
}

function peers(): readonly Contestant[] {
  const found: Contestant[] = [];
  const maxRounds = Number(values.slow);
  if (process.env["BUILDKIT_HOST"] !== undefined && isThere("buildctl"))
    found.push({ ...peer("buildctl build, pushed", [buildctl()]), maxRounds });
  if (isThere("docker", ["info"])) {
    const name = `${registry.host}/build/docker:1`;
    found.push({
      ...peer("docker build + push", [
        ["docker", "build", "-q", "-t", name, context],
        ["docker", "push", "-q", name],
      ]),
      maxRounds,
    });
  }
  return found;
}

function buildctl(): readonly [string, ...string[]] {
  return [
    "buildctl",
    "build",
    "--frontend",
    "dockerfile.v0",
    "--local",
    `context=${context}`,
    "--local",
    `dockerfile=${context}`,
    "--output",
    `type=image,name=${registry.host}/build/buildkit:1,push=true`,
  ];
}

function peer(name: string, commands: readonly (readonly [string, ...string[]])[]): Contestant {
  return {
    name,
    async run() {
      edit();
      const runs: TimedRun[] = [];
      for (const command of commands) runs.push(await timedRun(command));
      return { ms: runs.reduce((sum, { ms }) => sum + ms, 0) };
    },
  };
}
