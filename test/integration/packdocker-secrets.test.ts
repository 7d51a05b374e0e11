import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import { run } from "../../src/ground/process/index.ts";
import { putFakeBase } from "../support/fake-base.ts";
import { type Ran, untilEnd } from "../support/pack-place.ts";
import { UHUB, type UhubPlace, uhubPlace } from "../support/uhub-place.ts";
import type { FaultAction } from "../support/fault-registry.ts";
import { findPeer, requirePeer } from "../support/peers.ts";
import { recordChildren, type RecordedChildren } from "../support/recorded-children.ts";

const ACCOUNT = { username: "mia", password: "pa55/of+uhub=" };
const KEYS = { publicKey: "public/KEY+147=", privateKey: "private/KEY+258=" };
const PROXY = { name: "gate", password: "pa55-of-proxy" };
const INDEX = { name: "wheels", password: "pa55-of-index" };
const HELPER_PASSWORD = "pa55/of+helper=";
const WRONG_PASSWORD = "pa55/that+is=wrong";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** What must be nowhere: each secret as it is, as a URL has it, as a header has it, and as `docker login` keeps it. */
const FORBIDDEN: readonly string[] = [
  ...[
    ACCOUNT.password,
    WRONG_PASSWORD,
    HELPER_PASSWORD,
    KEYS.publicKey,
    KEYS.privateKey,
    PROXY.password,
    INDEX.password,
  ].flatMap((secret) => [secret, encodeURIComponent(secret), base64(secret)]),
  base64(`${ACCOUNT.username}:${ACCOUNT.password}`),
  base64(`${ACCOUNT.username}:${WRONG_PASSWORD}`),
  base64(`${ACCOUNT.username}:${HELPER_PASSWORD}`),
  base64(`${PROXY.name}:${PROXY.password}`),
  base64(`${INDEX.name}:${INDEX.password}`),
];

function assertClean(text: string | Buffer, where: string): void {
  const found = FORBIDDEN.filter((secret) => text.includes(secret));
  assert.deepEqual(
    found,
    [],
    `in ${where}${typeof text === "string" && text.length < 4000 ? `:\n${text}` : ""}`,
  );
}

interface Recorded extends UhubPlace {
  readonly children: RecordedChildren;
}

const MODEL = [
  "--main_class",
  "MnistModel",
  "--main_module",
  "mnist_inference",
  "--model_dir",
  "checkpoint_dir",
  "--model_name",
  "mnist_model",
  "--pack_file_path",
  "mnist_keras",
];
const WITH_KEYS = ["--public_key", KEYS.publicKey, "--private_key", KEYS.privateKey];
const WITH_ACCOUNT = ["--uhub_username", ACCOUNT.username, "--uhub_password", ACCOUNT.password];
const IMAGE = ["--uhub_registry", "me", "--uhub_imagename", "mnist:v1"];
const KERAS = ["packdocker", "keras", ...MODEL, ...WITH_KEYS, ...IMAGE];

/** Programs that a pack may start: the real ones, and what stands for a broken one. */
async function recordedPlace(t: TestContext): Promise<Recorded | undefined> {
  const place = await uhubPlace(t, {
    account: ACCOUNT,
    proxyAccount: `${PROXY.name}:${PROXY.password}`,
  });
  if (place === undefined) return undefined;
  const cli = place;
  await putFakeBase(cli.store, "mine");
  const real = (name: string): Readonly<Record<string, string>> => {
    const found = (cli.env["PATH"] ?? "")
      .split(delimiter)
      .map((folder) => findIn(folder, name))
      .find((path) => path !== undefined);
    return found === undefined ? {} : { [name]: found };
  };
  const children = await recordChildren(join(cli.root, "../recorded"), {
    ...real("uv"),
    ...real("python3"),
    ...real("pip3"),
    ...real("podman"),
    docker: "echo 'Cannot connect to the Docker daemon' >&2; exit 1",
    "docker-credential-good": `cat >/dev/null; printf '%s' '${JSON.stringify({ Username: ACCOUNT.username, Secret: ACCOUNT.password })}'`,
    "docker-credential-failing": `cat >/dev/null; echo 'the keyring gave ${HELPER_PASSWORD} and broke'; echo '${HELPER_PASSWORD}' >&2; exit 3`,
    "docker-credential-mad": `cat >/dev/null; echo 'Secret: ${HELPER_PASSWORD}'`,
  });
  cli.env["PATH"] = `${children.bin}${delimiter}${cli.env["PATH"]}`;
  return { ...place, children };
}

function findIn(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  return findPeer(name) === path || folder.includes("venvs") ? path : undefined;
}

interface Case {
  readonly words: readonly string[];
  readonly exitCode: number;
  /** Part of what the screen says, so that the failure is the one that was meant. */
  readonly says: RegExp;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly faults?: readonly {
    readonly method?: string;
    readonly path?: string | RegExp;
    readonly action: FaultAction;
  }[];
  /** The credential helper of the user's docker. */
  readonly helper?: string;
}

const answer = (status: number, code: string): FaultAction => ({
  kind: "answer",
  status,
  body: JSON.stringify({ errors: [{ code, message: "no" }] }),
  headers: { "content-type": "application/json" },
});
const WITH_STDIN = [...KERAS, "--uhub_username", ACCOUNT.username, "--password-stdin"];

const CASES: Readonly<Record<string, Case>> = {
  "a wrong password": {
    words: [...KERAS, "--uhub_username", ACCOUNT.username, "--uhub_password", WRONG_PASSWORD],
    exitCode: 5,
    says: /REGISTRY_UNAUTHORIZED/,
  },
  "a wrong password from standard input": {
    words: WITH_STDIN,
    stdin: `${WRONG_PASSWORD}\n`,
    exitCode: 5,
    says: /REGISTRY_UNAUTHORIZED/,
  },
  "a wrong password of the environment": {
    words: KERAS,
    env: {
      SLIPWAY_REGISTRY: UHUB,
      SLIPWAY_REGISTRY_USER: ACCOUNT.username,
      SLIPWAY_REGISTRY_PASSWORD: WRONG_PASSWORD,
    },
    exitCode: 5,
    says: /REGISTRY_UNAUTHORIZED/,
  },
  "no account at all": { words: KERAS, exitCode: 5, says: /REGISTRY_UNAUTHORIZED/ },
  "an account that may not push": {
    words: [...KERAS, ...WITH_ACCOUNT],
    faults: [{ method: "POST", action: answer(403, "DENIED") }],
    exitCode: 5,
    says: /REGISTRY_DENIED/,
  },
  "a registry that is broken": {
    words: [...KERAS, ...WITH_ACCOUNT],
    faults: [{ method: "PUT", path: "/manifests/", action: answer(500, "UNKNOWN") }],
    exitCode: 6,
    says: /REGISTRY_UNAVAILABLE/,
  },
  "a connection that is cut": {
    words: [...KERAS, ...WITH_ACCOUNT],
    faults: [{ method: "PUT", path: "/manifests/", action: { kind: "no-answer" } }],
    exitCode: 6,
    says: /REGISTRY_UN/,
  },
  "a base that is not there": {
    words: [...KERAS, ...WITH_ACCOUNT, "--bimg_name", `${UHUB}/me/absent:v1`],
    exitCode: 7,
    says: /REFERENCE_NOT_FOUND/,
  },
  "a Python that no Debian has": {
    words: [
      ...KERAS,
      ...WITH_ACCOUNT,
      ...["--base-from", "debian", "--python_version", "python-3.12"],
    ],
    exitCode: 3,
    says: /BASE_UNSUITABLE/,
  },
  "an account in the base's name": {
    words: [
      ...KERAS,
      ...WITH_ACCOUNT,
      "--bimg_name",
      `https://${ACCOUNT.username}:${ACCOUNT.password}@${UHUB}/me/base:v1`,
    ],
    exitCode: 2,
    says: /--bimg_name: it has an account in it/,
  },
  "an account in the registry's name": {
    words: [
      "packdocker",
      "keras",
      ...MODEL,
      "--uhub_registry",
      `${ACCOUNT.username}:${ACCOUNT.password.replace("/", "")}@${UHUB}/me`,
      "--uhub_imagename",
      "mnist:v1",
    ],
    exitCode: 2,
    says: /--uhub_registry: it has an account in it/,
  },
  "a flag that was mistyped": {
    words: [...KERAS, `--uhub_pasword=${ACCOUNT.password}`],
    exitCode: 2,
    says: /unknown option '--uhub_pasword'/,
  },
  "a password that was not quoted": {
    words: [...KERAS, "--uhub_password", "my", ACCOUNT.password],
    exitCode: 2,
    says: /too many arguments/,
  },
  "an index that refuses its account": {
    words: [...KERAS, ...WITH_ACCOUNT, "--index-url", "INDEX"],
    env: { UV_CONFIG_FILE: "" },
    exitCode: 3,
    says: /PACKAGE_UNAVAILABLE|REQUIREMENTS_INVALID/,
  },
  "a requirement that cannot be had": {
    words: [...KERAS, ...WITH_ACCOUNT, "--bimg_name", "store:mine", "--pack_file_path", "wanting"],
    exitCode: 3,
    says: /PACKAGE_UNAVAILABLE/,
  },
  "a credential helper that fails": {
    words: KERAS,
    helper: "failing",
    exitCode: 5,
    says: /CREDENTIAL_INVALID.*docker-credential-failing/,
  },
  "a credential helper that answers nonsense": {
    words: KERAS,
    helper: "mad",
    exitCode: 5,
    says: /CREDENTIAL_INVALID.*docker-credential-mad/,
  },
  "a credential helper that is not there": {
    words: KERAS,
    helper: "absent",
    exitCode: 5,
    says: /CREDENTIAL_INVALID.*docker-credential-absent/,
  },
  "a proxy that refuses its account": {
    words: [...KERAS, ...WITH_ACCOUNT],
    env: { HTTPS_PROXY: `WRONG`, https_proxy: `WRONG` },
    exitCode: 6,
    says: /407|REGISTRY_UNREACHABLE/,
  },
  "an engine that is not running": {
    words: [...KERAS, ...WITH_ACCOUNT, "--no-push", "--output", "docker-daemon=mnist:v1"],
    exitCode: 8,
    says: /ENGINE_|PROCESS_FAILED/,
  },
  "a store that cannot be written": {
    words: [...KERAS, ...WITH_ACCOUNT],
    env: { XDG_DATA_HOME: "/dev/null/data" },
    exitCode: 8,
    says: /STORE_UNWRITABLE/,
  },
  "nothing: it goes well": {
    words: [
      ...KERAS,
      ...WITH_ACCOUNT,
      "--emit-dockerfile",
      "uai.Dockerfile",
      "--write-conf",
      "--output",
      "oci-archive=mnist.tar",
    ],
    exitCode: 0,
    says: /upload docker images successful|"isPushed":true/,
  },
  "nothing: it goes well with a helper": {
    words: KERAS,
    helper: "good",
    exitCode: 0,
    says: /upload docker images successful|"isPushed":true/,
  },
};

test("no secret comes out of any failure: not on the screen, in a child's arguments, in the store, in the image or in a file that was written", async (t) => {
  const place = await recordedPlace(t);
  if (place === undefined) return;
  const { uhub, hosts } = place;
  const cli = place;
  await mkdir(join(cli.root, "wanting"), { recursive: true });
  for (const [path, text] of Object.entries({
    "wanting/mnist_inference.py": "class MnistModel: pass\n",
    "wanting/requirements.txt": "no-such-package==9\n",
    "wanting/checkpoint_dir/mnist_model.json": "{}",
    "wanting/checkpoint_dir/mnist_model.h5": "w",
  })) {
    await mkdir(join(cli.root, path, ".."), { recursive: true });
    await writeFile(join(cli.root, path), text);
  }
  const index = await refusingIndex(t);
  for (const [
    name,
    { words, exitCode, says, stdin, env = {}, faults = [], helper },
  ] of Object.entries(CASES)) {
    const own = {
      ...cli.env,
      SLIPWAY_DEBUG: "1",
      ...Object.fromEntries(
        Object.entries(env).map(([key, value]) => [
          key,
          value === "WRONG"
            ? `http://${PROXY.name}:${WRONG_PASSWORD.replaceAll("/", "%2F")}@${hosts.proxy.host}`
            : value,
        ]),
      ),
    };
    if (helper !== undefined)
      await writeDockerConfig(cli.env["HOME"] ?? "", { credsStore: helper });
    uhub.calm();
    for (const fault of faults) uhub.fault({ ...fault, times: 100 });
    const both: readonly Ran[] = await Promise.all(
      [[], ["--json"]].map((mode) =>
        runIn(place, [...words.map((word) => (word === "INDEX" ? index : word)), ...mode], {
          env: own,
          stdin: stdin ?? "",
        }),
      ),
    );
    await writeDockerConfig(cli.env["HOME"] ?? "", undefined);
    for (const ran of both) {
      const screen = `${ran.stdout}${ran.stderr}`;
      assertClean(screen, `what "${name}" showed`);
      assert.equal(ran.exitCode, exitCode, `${name}: ${screen}`);
      assert.match(screen, says, name);
    }
  }
  await assertChildrenClean(place);
  assertClean(await readFile(join(cli.root, "uai.Dockerfile"), "utf8"), "the Dockerfile");
  for (const folder of ["root", "data", "cache", "state", "home"])
    await assertTreeClean(join(cli.root, "..", folder));
  assert.ok(uhub.blobs.size > 10 && uhub.manifests.size >= 2);
  for (const [digest, bytes] of uhub.blobs)
    assertClean(unpacked(bytes), `blob ${digest} of the pushed image`);
  for (const [name, { bytes }] of uhub.manifests) assertClean(bytes, `manifest ${name}`);
});

const BIN = resolve(import.meta.dirname, "../../bin/slipway.js");

async function runIn(
  cli: UhubPlace,
  words: readonly string[],
  { env, stdin }: { readonly env: NodeJS.ProcessEnv; readonly stdin: string },
): Promise<Ran> {
  const child = spawn(process.execPath, [BIN, ...words], { cwd: cli.root, env, stdio: "pipe" });
  child.stdin.on("error", () => undefined).end(stdin); // a command that ends early reads nothing
  return untilEnd(child);
}

async function writeDockerConfig(home: string, config: object | undefined): Promise<void> {
  await mkdir(join(home, ".docker"), { recursive: true });
  if (config === undefined) await rm(join(home, ".docker"), { recursive: true });
  else await writeFile(join(home, ".docker/config.json"), JSON.stringify(config));
}

/** A package index that asks for an account and takes none. @returns its address with one. */
async function refusingIndex(t: TestContext): Promise<string> {
  const server = createServer(
    (_request, response) =>
      void response.writeHead(401, { "www-authenticate": "Basic realm=wheels" }).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return `http://${INDEX.name}:${INDEX.password}@127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
}

async function assertChildrenClean({ children }: Recorded): Promise<void> {
  const started = await children.started();
  const programs = new Set(started.map(({ program }) => program));
  for (const program of [
    "uv",
    "docker",
    "docker-credential-good",
    "docker-credential-failing",
    "docker-credential-mad",
  ])
    assert.ok(
      programs.has(program),
      `${program} was started, and seen: ${[...programs].join(" ")}`,
    );
  for (const { program, argv, environment } of started) {
    assertClean(argv, `the arguments of ${program}`);
    // What the user's own environment holds is handed on; what flags and standard input gave is not.
    for (const secret of [ACCOUNT.password, KEYS.privateKey, KEYS.publicKey])
      assert.ok(!environment.includes(secret), `the environment of ${program}`);
  }
}

/** Every file below a folder, as it is and unpacked. */
async function assertTreeClean(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    assertClean(path, "a name");
    assertClean(unpacked(await readFile(path)), path);
  }
}

function unpacked(bytes: Buffer): Buffer {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

test("as the kernel sees it, no program gets a secret as an argument, and our own is not shown for long", async (t) => {
  const strace = await requirePeer(t, "strace");
  const place = strace === undefined ? undefined : await recordedPlace(t);
  if (strace === undefined || place === undefined) return;
  const { uhub } = place;
  const cli = place;
  const trace = join(cli.root, "../trace");
  await writeDockerConfig(cli.env["HOME"] ?? "", { credsStore: "good" });
  const words = [
    BIN,
    ...KERAS.filter(
      (word) =>
        word !== "--private_key" &&
        word !== KEYS.privateKey &&
        word !== "--public_key" &&
        word !== KEYS.publicKey,
    ),
  ];
  for (const more of [[], ["--uhub_username", ACCOUNT.username, "--password-stdin"]]) {
    const { exitCode, stderrTail } = await run(
      [
        strace,
        "--follow-forks",
        "--quiet=all",
        "--trace=execve",
        "--string-limit=100000",
        "--seccomp-bpf",
        `--output=${trace}`,
        process.execPath,
        ...words,
        ...more,
      ],
      { cwd: cli.root, env: cli.env, stdin: ACCOUNT.password, allowFailure: true },
    );
    assert.equal(exitCode, 0, stderrTail);
    const calls = await readFile(trace, "utf8");
    for (const program of more.length === 0 ? ["node", "uv", "docker-credential-good"] : ["node"])
      assert.match(
        calls,
        new RegExp(`execve\\("[^"]*/${program}"`),
        "the trace shows what is started",
      );
    assertClean(calls, "the programs that were started");
  }

  let shown = "";
  const child = cli.start(...KERAS, ...WITH_ACCOUNT, "--uhub_imagename", "mnist:v2");
  uhub.fault({
    method: "PUT",
    path: "/manifests/",
    action: {
      kind: "change-answer",
      change: (made) => ((shown = readFileSync(`/proc/${child.pid}/cmdline`, "utf8")), made),
    },
  });
  const { exitCode, stderr } = await untilEnd(child);
  assert.equal(exitCode, 0, stderr);
  assert.match(shown, /^slipway packdocker\0/);
  assertClean(shown, "our own arguments");
});
