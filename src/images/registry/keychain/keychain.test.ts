import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir } from "../../../ground/process/index.ts";
import { encodeAuth } from "./auth-file.ts";
import { createKeychain } from "./create-keychain.ts";
import { matchingKeys } from "./match-key.ts";

const HOST = "registry.test:5000";

/** A home with every place that may hold a credential, each with a user named after it. */
async function home(
  t: TestContext,
): Promise<{ readonly root: string; readonly environment: Record<string, string> }> {
  const folder = await createTempDir("keychain");
  t.after(() => folder[Symbol.asyncDispose]());
  const root = folder.path;
  await write(join(root, ".docker/config.json"), {
    auths: { [HOST]: { auth: encodeAuth("docker-config", "p") } },
  });
  await write(join(root, "named.json"), {
    auths: { [HOST]: { auth: encodeAuth("named-file", "p") } },
  });
  await write(join(root, "run/containers/auth.json"), {
    auths: { [HOST]: { auth: encodeAuth("podman-session", "p") } },
  });
  await write(join(root, ".config/containers/auth.json"), {
    auths: { [HOST]: { auth: encodeAuth("podman-user", "p") } },
  });
  return {
    root,
    environment: {
      HOME: root,
      PATH: join(root, "bin"),
      SLIPWAY_REGISTRY: HOST,
      SLIPWAY_REGISTRY_USER: "environment",
      SLIPWAY_REGISTRY_PASSWORD: "p",
      DOCKER_AUTH_CONFIG: JSON.stringify({
        auths: { [HOST]: { auth: encodeAuth("docker-auth-config", "p") } },
      }),
      REGISTRY_AUTH_FILE: join(root, "named.json"),
      XDG_RUNTIME_DIR: join(root, "run"),
    },
  };
}

test("the places are asked in order, and each is taken when those before it hold nothing", async (t) => {
  const { root, environment } = await home(t);
  const explicit = {
    registry: HOST,
    credential: { kind: "basic", username: "flag", password: "p" },
  } as const;
  assert.deepEqual(
    await createKeychain({ environment, explicit }).credentialFor(HOST),
    explicit.credential,
  );
  const steps: readonly (readonly [string, () => unknown])[] = [
    ["environment", () => delete environment["SLIPWAY_REGISTRY_USER"]],
    ["docker-auth-config", () => delete environment["DOCKER_AUTH_CONFIG"]],
    ["docker-config", () => write(join(root, ".docker/config.json"), {})],
    ["named-file", () => delete environment["REGISTRY_AUTH_FILE"]],
    ["podman-session", () => delete environment["XDG_RUNTIME_DIR"]],
    ["podman-user", () => write(join(root, ".config/containers/auth.json"), { auths: {} })],
  ];
  for (const [username, takeAway] of steps) {
    assert.deepEqual(await createKeychain({ environment }).credentialFor(HOST), {
      kind: "basic",
      username,
      password: "p",
    });
    await takeAway();
  }
  const keychain = createKeychain({ environment });
  assert.equal(await keychain.credentialFor(HOST), undefined);
  const told = await keychain.describeCredential(HOST);
  assert.equal(told.kind, "anonymous");
  assert.deepEqual(told.searched, [
    `"${root}/.docker/config.json"`,
    `"${root}/.config/containers/auth.json"`,
  ]);
});

test("a credential goes to the very registry it is for", async (t) => {
  const { environment } = await home(t);
  const explicit = {
    registry: HOST,
    credential: { kind: "basic", username: "flag", password: "p" },
  } as const;
  const keychain = createKeychain({ environment, explicit });
  for (const host of [
    "registry.test",
    "registry.test:5001",
    "test:5000",
    "evil-registry.test:5000",
    "registry.test:5000.evil.test",
  ])
    assert.equal(await keychain.credentialFor(host), undefined, host);
});

test("a user without a registry in the environment is refused, since it would go to every registry", async () => {
  for (const name of ["SLIPWAY_REGISTRY_USER", "SLIPWAY_REGISTRY_TOKEN"]) {
    const keychain = createKeychain({ environment: { [name]: "hunter2" }, home: "/nonexistent" });
    await assert.rejects(
      keychain.credentialFor(HOST),
      (error: Error) =>
        error.message.includes("SLIPWAY_REGISTRY_USER") && !error.message.includes("hunter2"),
    );
  }
});

test("DOCKER_CONFIG moves docker's file, and a token of the environment is sent as it is", async (t) => {
  const { root, environment } = await home(t);
  await write(join(root, "elsewhere/config.json"), {
    auths: { [HOST]: { username: "plain", password: "fields" } },
  });
  assert.deepEqual(
    await createKeychain({
      environment: { HOME: root, DOCKER_CONFIG: join(root, "elsewhere") },
    }).credentialFor(HOST),
    { kind: "basic", username: "plain", password: "fields" },
  );
  assert.deepEqual(
    await createKeychain({
      environment: { ...environment, SLIPWAY_REGISTRY_TOKEN: "ready" },
    }).credentialFor(HOST),
    { kind: "registry-token", token: "ready" },
  );
});

test("a helper of the registry wins over the general one, and that over the file", async (t) => {
  const { root, environment } = await home(t);
  for (const name of ["SLIPWAY_REGISTRY_USER", "DOCKER_AUTH_CONFIG"]) delete environment[name];
  await helper(
    root,
    "own",
    `read server; printf '{"ServerURL":"%s","Username":"own-helper","Secret":"p"}' "$server"`,
  );
  await helper(root, "general", `printf '{"Username":"general-helper","Secret":"p"}'`);
  const auths = { [HOST]: { auth: encodeAuth("file", "p") } };
  const nameWith = async (config: object): Promise<string | undefined> => {
    await write(join(root, ".docker/config.json"), config);
    const credential = await createKeychain({ environment }).credentialFor(HOST);
    return credential?.kind === "basic" ? credential.username : credential?.kind;
  };
  assert.equal(
    await nameWith({ auths, credHelpers: { [HOST]: "own" }, credsStore: "general" }),
    "own-helper",
  );
  assert.equal(
    await nameWith({ auths, credHelpers: { "other.test": "own" }, credsStore: "general" }),
    "general-helper",
  );
  assert.equal(await nameWith({ auths }), "file");
  const told = await createKeychain({ environment }).describeCredential(HOST);
  assert.deepEqual([told.source, told.key, told.username], ["docker config", HOST, "file"]);
});

test("a helper that has nothing leaves the file to be looked at; a token of one is an identity token", async (t) => {
  const { root, environment } = await home(t);
  for (const name of ["SLIPWAY_REGISTRY_USER", "DOCKER_AUTH_CONFIG"]) delete environment[name];
  await write(join(root, ".docker/config.json"), {
    auths: { [HOST]: { auth: encodeAuth("file", "p") } },
    credsStore: "store",
  });
  await helper(root, "store", "echo 'credentials not found in native keychain'; exit 1");
  assert.deepEqual(await createKeychain({ environment }).credentialFor(HOST), {
    kind: "basic",
    username: "file",
    password: "p",
  });
  await helper(root, "store", `printf '{"Username":"<token>","Secret":"refresh"}'`);
  assert.deepEqual(await createKeychain({ environment }).credentialFor(HOST), {
    kind: "identity-token",
    token: "refresh",
  });
});

test("a helper that fails is named, and what it printed is not", async (t) => {
  const { root, environment } = await home(t);
  for (const name of ["SLIPWAY_REGISTRY_USER", "DOCKER_AUTH_CONFIG"]) delete environment[name];
  await write(join(root, ".docker/config.json"), { credsStore: "bad" });
  for (const [script, why] of [
    ["echo hunter2; exit 3", /exit code 3/],
    ["echo hunter2", /not a JSON object/],
    ["", /not a JSON object/],
  ] as const) {
    await helper(root, "bad", script);
    await assert.rejects(
      createKeychain({ environment }).credentialFor(HOST),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "CREDENTIAL_INVALID");
        assert.match(error.message, /docker-credential-bad/);
        assert.match(error.message, why);
        return !error.message.includes("hunter2");
      },
    );
  }
  for (const [name, why] of [
    ["missing", /is not installed/],
    ["../evil", /is no helper's name/],
  ] as const) {
    await write(join(root, ".docker/config.json"), { credsStore: name });
    await assert.rejects(createKeychain({ environment }).credentialFor(HOST), {
      code: "CREDENTIAL_INVALID",
      message: why,
    });
  }
});

test("a file that cannot be read is named, and what stands in it is not", async (t) => {
  const { root, environment } = await home(t);
  for (const name of ["SLIPWAY_REGISTRY_USER", "DOCKER_AUTH_CONFIG"]) delete environment[name];
  for (const text of ["{hunter2", "[]", `{"auths":"hunter2"}`, `{"credHelpers":["hunter2"]}`]) {
    await write(join(root, ".docker/config.json"), text);
    await assert.rejects(
      createKeychain({ environment }).credentialFor(HOST),
      (error: Error & { code?: string }) =>
        error.code === "CREDENTIAL_INVALID" &&
        error.message.includes(".docker/config.json") &&
        !error.message.includes("hunter2"),
    );
  }
  await write(join(root, ".docker/config.json"), "  \n");
  assert.equal(
    (await createKeychain({ environment }).credentialFor(HOST))?.kind,
    "basic",
    "an empty file is as good as none",
  );
});

test("NUL bytes and colons in a password survive, and tokens of files have their kind", async () => {
  const keychainOf = (entry: object): Promise<unknown> =>
    createKeychain({
      environment: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [HOST]: entry } }) },
      home: "/nonexistent",
    }).credentialFor(HOST);
  assert.deepEqual(await keychainOf({ auth: Buffer.from("mia:a:b\0\0").toString("base64") }), {
    kind: "basic",
    username: "mia",
    password: "a:b",
  });
  assert.deepEqual(
    await keychainOf({ auth: encodeAuth("00000000", "x"), identitytoken: "refresh" }),
    { kind: "identity-token", token: "refresh" },
  );
  assert.deepEqual(await keychainOf({ registrytoken: "ready" }), {
    kind: "registry-token",
    token: "ready",
  });
  assert.equal(
    await keychainOf({}),
    undefined,
    "as docker leaves it when a helper keeps the secret",
  );
});

test("keys are matched by the whole host, a part of a name first, old addresses last", () => {
  const keys = [
    "https://registry.test:5000/v1/",
    HOST,
    `${HOST}/team`,
    `${HOST}/team/iris`,
    "registry.test",
    "https://index.docker.io/v1/",
    "docker.io/library",
  ];
  assert.deepEqual(matchingKeys(keys, HOST, "team/iris"), [
    `${HOST}/team/iris`,
    `${HOST}/team`,
    HOST,
    "https://registry.test:5000/v1/",
  ]);
  assert.deepEqual(matchingKeys(keys, HOST, undefined), [HOST, "https://registry.test:5000/v1/"]);
  assert.deepEqual(matchingKeys(keys, "docker.io", "library/python"), [
    "docker.io/library",
    "https://index.docker.io/v1/",
  ]);
  assert.deepEqual(matchingKeys(["https://registry.test:5000/other/path"], HOST, undefined), []);
});

async function write(path: string, content: object | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
}

async function helper(root: string, suffix: string, script: string): Promise<void> {
  const path = join(root, "bin", `docker-credential-${suffix}`);
  await write(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}
