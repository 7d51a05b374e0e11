import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir } from "../../ground/process/index.ts";
import { createEngine } from "./create-engine.ts";
import type { ContainerRequest, EngineKind } from "./contracts.ts";
import { findEngine, probeEngines } from "./find-engine.ts";
import { urlOf } from "./run-image.ts";
import { startArguments } from "./start-arguments.ts";

const ID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/** A program that answers as an engine would; each call's arguments are a line of `log`. */
async function fakeEngine(
  t: TestContext,
  script: string,
): Promise<{ readonly program: string; readonly calls: () => Promise<readonly string[]> }> {
  const folder = await createTempDir("fake-engine");
  t.after(() => folder[Symbol.asyncDispose]());
  const program = join(folder.path, "engine");
  const log = join(folder.path, "log");
  await writeFile(program, `#!/bin/sh\necho "$*" >> '${log}'\n${script}\n`, { mode: 0o755 });
  return { program, calls: async () => (await readFile(log, "utf8")).trim().split("\n") };
}

test("variables go by name only, so that no process list shows them", () => {
  const args = startArguments({ image: "a/b:1", env: { TOKEN: "secret" } }, "docker");
  assert.deepEqual(args, ["--pull=never", "--env", "TOKEN", "a/b:1"]);
});

test("ports, mounts and graphics cards are said in each engine's words", () => {
  const request: ContainerRequest = {
    image: "a:1",
    ports: [{ containerPort: 9000 }, { containerPort: 80, hostPort: 8080, host: "::1" }],
    mounts: [{ source: "/a b", target: "/m", readOnly: true }],
    gpus: "all",
    sharedMemory: "1g",
    memory: "2g",
  };
  const common = [
    "--pull=never",
    "--shm-size=1g",
    "--memory=2g",
    "--publish",
    "127.0.0.1::9000",
    "--publish",
    "[::1]:8080:80",
    "--mount",
    "type=bind,source=/a b,target=/m,readonly",
  ];
  assert.deepEqual(startArguments(request, "docker"), [...common, "--gpus", "all", "a:1"]);
  assert.deepEqual(startArguments(request, "podman"), [
    ...common,
    "--device",
    "nvidia.com/gpu=all",
    "a:1",
  ]);
});

for (const [what, request] of [
  ["an image that looks like an option", { image: "--privileged" }],
  ["a mount with a comma", { image: "a", mounts: [{ source: "/a,target=/etc", target: "/m" }] }],
  ["a mount that is not absolute", { image: "a", mounts: [{ source: "a", target: "/m" }] }],
  ["a variable with an equals sign", { image: "a", env: { "A=B": "c" } }],
] as const) {
  test(`${what} is refused`, () => {
    assert.throws(() => startArguments(request, "docker"), { code: "USAGE" });
  });
}

test("the preferred engine is asked first, and the other one is taken when it does not answer", async (t) => {
  const good = await fakeEngine(t, "echo 1.2.3");
  const bad = await fakeEngine(t, "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
  assert.deepEqual(
    await findEngine({
      calls: { docker: { program: bad.program }, podman: { program: good.program } },
    }),
    { kind: "podman", program: good.program },
  );
  assert.deepEqual(
    await findEngine({
      prefer: "podman",
      calls: { docker: { program: good.program }, podman: { program: good.program } },
    }),
    { kind: "podman", program: good.program },
  );
  const probes = await probeEngines({
    calls: { docker: { program: bad.program }, podman: { program: "/nonexistent" } },
  });
  assert.deepEqual(
    probes.map(({ isUsable, detail }) => [isUsable, detail]),
    [
      [false, "Cannot connect to the Docker daemon"],
      [false, "not installed"],
    ],
  );
});

const REFUSED =
  "echo 'Error: crun: setrlimit RLIMIT_NPROC: Operation not permitted: OCI permission denied' >&2; exit 126";

test("podman is asked again with own limits, and then with runc, where that is what it was refused for", async (t) => {
  const { program, calls } = await fakeEngine(
    t,
    `case "$*" in *"--runtime runc"*) echo ${ID};; *) ${REFUSED};; esac`,
  );
  const container = await createEngine({ kind: "podman", program }).start({ image: "a:1" });
  assert.equal(container.id, ID);
  const made = await calls();
  assert.equal(made.length, 3);
  assert.match(made[0] ?? "", /^run --detach --cidfile=\S+ --pull=never a:1$/);
  assert.match(
    made[1] ?? "",
    /^run --detach --cidfile=\S+ --ulimit nofile=\d+:\d+ --ulimit nproc=\d+:\d+ --pull=never a:1$/,
  );
  assert.match(made[2] ?? "", /^run --detach --cidfile=\S+ --runtime runc --ulimit /);
});

for (const [kind, runArgs, why] of [
  ["podman", ["--ulimit", "nofile=1:1"], "own arguments say how"],
  ["docker", undefined, "docker has no such trouble"],
] as const satisfies readonly (readonly [EngineKind, readonly string[] | undefined, string])[]) {
  test(`nothing else is tried when ${why}`, async (t) => {
    const { program, calls } = await fakeEngine(t, REFUSED);
    await assert.rejects(createEngine({ kind, program, runArgs }).start({ image: "a:1" }), {
      code: "ENGINE_FAILED",
      message: /setrlimit/,
    });
    assert.equal((await calls()).length, 1);
  });
}

test("a container whose start failed is removed", async (t) => {
  const { program, calls } = await fakeEngine(
    t,
    `for word in "$@"; do case "$word" in --cidfile=*) echo ${ID} > "\${word#--cidfile=}";; esac; done; echo 'port is already allocated' >&2; exit 125`,
  );
  await assert.rejects(createEngine({ kind: "docker", program }).start({ image: "a:1" }), {
    code: "PORT_TAKEN",
  });
  assert.deepEqual((await calls()).slice(1), [`rm --force --volumes ${ID}`]);
});

for (const [says, code] of [
  [
    "docker: Error response from daemon: driver failed: Bind for 127.0.0.1:80 failed: port is already allocated.",
    "PORT_TAKEN",
  ],
  ["Error: a:1: image not known", "REFERENCE_NOT_FOUND"],
  ["docker: Error response from daemon: No such image: a:1.", "REFERENCE_NOT_FOUND"],
  ["Error: something else", "ENGINE_FAILED"],
] as const) {
  test(`an engine that says "${says.slice(-35)}" gives ${code}`, async (t) => {
    const { program } = await fakeEngine(t, `echo "${says}" >&2; exit 125`);
    await assert.rejects(
      createEngine({ kind: "docker", program }).start({ image: "a:1", name: "n" }),
      { code },
    );
  });
}

test("what an engine loaded is known by its own words", async (t) => {
  for (const [says, names] of [
    ["Loaded image: a/b:1\\nLoaded image: c:2", ["a/b:1", "c:2"]],
    ["Loaded image ID: sha256:00ff", ["sha256:00ff"]],
    ["Loaded image(s): localhost/t:1, localhost/t:2", ["localhost/t:1", "localhost/t:2"]],
  ] as const) {
    const { program } = await fakeEngine(t, `cat > /dev/null; printf '${says}\\n'`);
    assert.deepEqual(await createEngine({ kind: "podman", program }).load(oneChunk()), names);
  }
});

test("an engine that answers with something else than an id is not believed", async (t) => {
  const { program } = await fakeEngine(t, "echo hello");
  await assert.rejects(createEngine({ kind: "docker", program }).start({ image: "a:1" }), {
    code: "ENGINE_FAILED",
    message: /"hello" is not the id/,
  });
});

test("a port is reached over loopback when it is published everywhere", () => {
  assert.equal(
    urlOf({ containerPort: 80, host: "0.0.0.0", hostPort: 8080 }),
    "http://127.0.0.1:8080",
  );
  assert.equal(urlOf({ containerPort: 80, host: "::", hostPort: 8080 }), "http://[::1]:8080");
  assert.equal(
    urlOf({ containerPort: 80, host: "192.0.2.1", hostPort: 8080 }),
    "http://192.0.2.1:8080",
  );
});

async function* oneChunk(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("archive");
}
