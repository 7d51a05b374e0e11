import assert from "node:assert/strict";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { copy, pushImage } from "../../src/images/copy/index.ts";
import { run } from "../../src/ground/process/index.ts";
import {
  annotate,
  appendLayers,
  createIndex,
  imageDescriptor,
  imageFrom,
  MEDIA_TYPES,
  parseManifest,
  parseReference,
  type Image,
} from "../../src/images/oci/index.ts";
import { createRegistry } from "../../src/images/registry/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { makeCertificate } from "../support/certificate.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { startFaultRegistry } from "../support/fault-registry.ts";
import { findPeer, requirePeer } from "../support/peers.ts";
import { randomImage, randomLayer } from "../support/random-image.ts";
import { putBytes } from "../support/small-image.ts";
import { type PackPlace, packPlace } from "../support/pack-place.ts";

const IMAGE = randomImage({ layers: 2, bytes: 20_000 });

/** A user whose store has `store:iris:v1`. */
async function userWithImage(
  t: TestContext,
  image: Image = IMAGE,
): Promise<{ readonly user: PackPlace; readonly store: Store; readonly digest: string }> {
  const user = await packPlace(t, { isBare: true });
  const store = storeOf(user);
  t.after(() => store[Symbol.asyncDispose]());
  const { descriptor } = await pushImage(image, store, {
    to: [{ registry: "store", repository: "iris", tag: "v1" }],
  });
  return { user, store, digest: descriptor.digest };
}

function storeOf({ folders }: PackPlace): Store {
  return createStore({
    dataDir: folders.data,
    cacheDir: folders.cache,
  });
}

/* ---- credentials ---- */

test("a push takes its credential from standard input, and the password shows nowhere", async (t) => {
  const peer = await startDockerRegistry(t, { auth: "token" });
  if (peer === undefined) return;
  const { user, digest } = await userWithImage(t);
  const target = `${peer.host}/team/iris:v1`;
  const refused = await user.run(["push", "store:iris:v1", target]);
  assert.equal(refused.exitCode, 5);
  assert.match(refused.stderr, /error REGISTRY_UNAUTHORIZED: .*none was found/);
  assert.match(refused.stderr, new RegExp(`hint: run \`slipway login ${peer.host}\``));
  const pushed = await user.run(
    ["push", "store:iris:v1", target, "--username", peer.username, "--password-stdin"],
    { stdin: `${peer.password}\n` },
  );
  assert.equal(pushed.exitCode, 0, pushed.stderr);
  assert.match(pushed.stdout, new RegExp(`${peer.host}/team/iris@${digest}\n$`));
  assert.ok(!`${pushed.stdout}${pushed.stderr}`.includes(peer.password));
  assert.equal(
    (await user.run(["ls", `${peer.host}/team/iris`])).exitCode,
    5,
    "it was for that command only",
  );
  const wrong = await user.run(
    ["verify", target, "--username", peer.username, "--password-stdin"],
    { stdin: "hunter2\n" },
  );
  assert.equal(wrong.exitCode, 5);
  assert.match(wrong.stderr, /refused the credential/);
  assert.match(wrong.stderr, /the command line/);
  const login = await user.run(
    ["login", peer.host, "--username", peer.username, "--password-stdin"],
    { stdin: "hunter2\n" },
  );
  assert.equal(login.exitCode, 5);
  assert.match(
    login.stderr,
    new RegExp(
      `log in to "${peer.host}" as "${peer.username}": the registry refused the username or the password`,
    ),
  );
  assert.ok(!`${wrong.stderr}${login.stderr}`.includes("hunter2"));
});

test("a credential on the command line needs both halves, and one registry that it is for", async (t) => {
  const { user } = await userWithImage(t);
  for (const args of [
    ["pull", "one.test/a", "--username", "mia"],
    ["pull", "one.test/a", "--password-stdin"],
    ["copy", "one.test/a", "two.test/a", "--username", "mia", "--password-stdin"],
    ["copy", "store:iris:v1", "oci:out", "--username", "mia", "--password-stdin"],
  ]) {
    const { exitCode, stderr } = await user.run(args, { stdin: "hunter2" });
    assert.equal(exitCode, 2, args.join(" "));
    assert.match(stderr, /error USAGE: /);
    assert.ok(!stderr.includes("hunter2"));
  }
});

test("who logs in is known to docker's other clients too, and who logs out is not", async (t) => {
  const peer = await startDockerRegistry(t, { auth: "htpasswd" });
  if (peer === undefined) return;
  const { user } = await userWithImage(t);
  const config = join(user.root, ".docker/config.json");
  const wrong = await user.run(
    ["login", peer.host, "--username", peer.username, "--password-stdin"],
    { stdin: "hunter2\n" },
  );
  assert.equal(wrong.exitCode, 5);
  assert.equal(
    await readFile(config, "utf8").catch(() => "none"),
    "none",
    "what the registry refuses is not kept",
  );

  await mkdir(join(user.root, ".docker"));
  await writeFile(
    config,
    JSON.stringify({ detachKeys: "ctrl-e", auths: { "other.test": { auth: "eDp5" } } }),
  );
  const { exitCode, stdout, stderr } = await user.run(
    ["login", peer.host, "--username", peer.username, "--password-stdin"],
    { stdin: `${peer.password}\n` },
  );
  assert.equal(exitCode, 0, stderr);
  assert.match(
    stdout,
    new RegExp(`logged in to ${peer.host} as ${peer.username}; kept in .*config.json`),
  );
  const kept = JSON.parse(await readFile(config, "utf8")) as {
    detachKeys: string;
    auths: Record<string, { auth: string }>;
  };
  assert.equal(kept.detachKeys, "ctrl-e", "all else in the file stays");
  assert.deepEqual(Object.keys(kept.auths).sort(), [peer.host, "other.test"]);
  assert.equal(
    Buffer.from(kept.auths[peer.host]?.auth ?? "", "base64").toString("utf8"),
    `${peer.username}:${peer.password}`,
  );
  assert.equal(
    (await user.run(["push", "store:iris:v1", `${peer.host}/team/iris:v1`])).exitCode,
    0,
  );
  const skopeo = findPeer("skopeo");
  if (skopeo !== undefined) {
    const listed = await run([
      skopeo,
      "list-tags",
      "--tls-verify=false",
      "--authfile",
      config,
      `docker://${peer.host}/team/iris`,
    ]);
    assert.match(listed.stdout.toString(), /"v1"/);
  }
  assert.match((await user.run(["logout", peer.host])).stdout, /forgot the credential/);
  assert.deepEqual(
    Object.keys((JSON.parse(await readFile(config, "utf8")) as { auths: object }).auths),
    ["other.test"],
  );
  assert.match((await user.run(["logout", peer.host])).stdout, /there was no credential/);
  assert.equal((await user.run(["ls", `${peer.host}/team/iris`])).exitCode, 5);
});

test("a new docker config is the user's alone", async (t) => {
  const peer = await startDockerRegistry(t, { auth: "htpasswd" });
  if (peer === undefined) return;
  const user = await packPlace(t, { isBare: true });
  await user.run(["login", peer.host, "--username", peer.username, "--password-stdin"], {
    stdin: peer.password,
  });
  const auth = Buffer.from(`${peer.username}:${peer.password}`).toString("base64");
  const expected = `{\n\t"auths": {\n\t\t"${peer.host}": {\n\t\t\t"auth": "${auth}"\n\t\t}\n\t}\n}`;
  assert.equal(
    await readFile(join(user.root, ".docker/config.json"), "utf8"),
    expected,
    "byte for byte as docker writes it",
  );
  assert.equal((await stat(join(user.root, ".docker/config.json"))).mode & 0o777, 0o600);
});

test("what skopeo's or docker's log-in wrote is used, and a helper keeps what it is given", async (t) => {
  const peer = await startDockerRegistry(t, { auth: "htpasswd" });
  if (peer === undefined || (await requirePeer(t, "skopeo")) === undefined) return;
  const { user } = await userWithImage(t);
  const authFile = join(user.root, "auth.json");
  await run(
    [
      findPeer("skopeo") ?? "skopeo",
      "login",
      "--tls-verify=false",
      "--authfile",
      authFile,
      "--username",
      peer.username,
      "--password-stdin",
      peer.host,
    ],
    { stdin: peer.password },
  );
  assert.equal(
    (
      await user.run(["push", "store:iris:v1", `${peer.host}/team/iris:v1`], {
        env: { REGISTRY_AUTH_FILE: authFile },
      })
    ).exitCode,
    0,
  );

  // A helper as docker's are, which keeps one credential in a file.
  const bin = join(user.root, "bin");
  await mkdir(bin);
  await mkdir(join(user.root, ".docker"));
  const kept = join(user.root, "kept.json");
  await writeFile(
    join(bin, "docker-credential-file"),
    `#!/bin/sh\ncase "$1" in\nstore) cat > "${kept}";;\nget) cat "${kept}" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; };;\nerase) rm -f "${kept}";;\nesac\n`,
  );
  await chmod(join(bin, "docker-credential-file"), 0o755);
  const config = join(user.root, ".docker/config.json");
  await writeFile(config, JSON.stringify({ credsStore: "file" }));
  const env = { PATH: `${bin}:${user.env["PATH"] ?? ""}` };
  const login = await user.run(
    ["login", peer.host, "--username", peer.username, "--password-stdin"],
    { stdin: peer.password, env },
  );
  assert.match(login.stdout, /kept in docker-credential-file/, login.stderr);
  assert.deepEqual(
    JSON.parse(await readFile(config, "utf8")),
    { credsStore: "file", auths: { [peer.host]: {} } },
    "the secret is not in the file",
  );
  assert.deepEqual(JSON.parse(await readFile(kept, "utf8")), {
    ServerURL: peer.host,
    Username: peer.username,
    Secret: peer.password,
  });
  assert.equal((await user.run(["ls", `${peer.host}/team/iris`], { env })).stdout, "v1\n");
  assert.equal((await user.run(["logout", peer.host], { env })).exitCode, 0);
  assert.equal(await stat(kept).catch(() => undefined), undefined);
});

/* ---- certificates, mirrors ---- */

test("an authority of one's own is trusted when it is named, by option or by SSL_CERT_FILE", async (t) => {
  const tls = await makeCertificate(t);
  const peer = tls === undefined ? undefined : await startDockerRegistry(t, { tls });
  if (peer === undefined || tls === undefined) return;
  const { user } = await userWithImage(t);
  const args = ["push", "store:iris:v1", `${peer.host}/team/iris:v1`];
  const refused = await user.run(args);
  assert.equal(refused.exitCode, 6);
  assert.match(refused.stderr, /error INSECURE_REFUSED: .*certificate/);
  assert.equal((await user.run([...args, "--ca-file", tls.certFile])).exitCode, 0);
  assert.equal(
    (await user.run(["ls", `${peer.host}/team/iris`], { env: { SSL_CERT_FILE: tls.certFile } }))
      .stdout,
    "v1\n",
  );
  for (const file of [tls.keyFile, "nowhere.pem"]) {
    const { exitCode, stderr } = await user.run([...args, "--ca-file", file]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /certificates in/);
    assert.ok(!stderr.includes("PRIVATE"));
  }
});

test("a mirror of the command line or the environment is read from first", async (t) => {
  const [server, mirror] = [await startFaultRegistry(t), await startFaultRegistry(t)];
  await using registry = createRegistry({ host: mirror.host });
  await pushImage(IMAGE, registry.repository("team/iris"), {
    to: [{ registry: mirror.host, repository: "team/iris", tag: "v1" }],
  });
  for (const [args, env] of [
    [["--registry-mirror", `${server.host}=${mirror.host}`], {}],
    [[], { SLIPWAY_REGISTRY_MIRRORS: `${server.host}=${mirror.host}` }],
  ] as const) {
    const user = await packPlace(t, { isBare: true });
    const pulled = await user.run(["pull", `${server.host}/team/iris:v1`, ...args], { env });
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    assert.match(
      pulled.stdout,
      new RegExp(`${server.host}/team/iris@sha256:`),
      "the name stays that of the registry",
    );
  }
  assert.deepEqual(server.seen("GET", "/blobs/"), []);
});

/* ---- looking ---- */

test("ls shows each image once, with name, tag, age, kind and platforms, and damage does not hide the others", async (t) => {
  const { user, store } = await userWithImage(t);
  const target = await store.resolve({ registry: "store", repository: "iris", tag: "v1" });
  await store.tag(target, { registry: "store", repository: "iris", digest: target.digest }); // as `slipway registry` holds what was pushed
  await store.tag(target, { registry: "host.test:5000", repository: "team/iris", tag: "v2" });
  const artifact = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    artifactType: "application/vnd.test.card",
    config: await putBytes(store, Buffer.from("{}"), MEDIA_TYPES.empty),
    layers: [],
  };
  await store.tag(
    await putBytes(store, Buffer.from(JSON.stringify(artifact)), MEDIA_TYPES.imageManifest),
    { registry: "store", repository: "card", tag: "latest" },
  );
  const { descriptor: broken } = await pushImage(randomImage({ seed: 8 }), store, {
    to: [{ registry: "store", repository: "broken", tag: "v1" }],
  });
  const damaged = parseManifest(Buffer.concat(await Array.fromAsync(store.open(broken)))).config
    .digest;
  await writeFile(join(user.folders.data, "blobs/sha256", damaged.slice(7)), "damage");

  const { stdout } = await user.run(["ls"]);
  const rows = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/));
  assert.deepEqual(rows[0], ["NAME", "TAG", "DIGEST", "SIZE", "AGE", "KIND", "PLATFORMS"]);
  const short = target.digest.slice(7, 19);
  assert.deepEqual(
    rows.slice(1).map(([name, tag, digest, , , kind]) => [name, tag, digest === short, kind]),
    [
      ["host.test:5000/team/iris", "v2", true, "image"],
      ["store:broken", "v1", false, "?"],
      ["store:card", "latest", false, "application/vnd.test.card"],
      ["store:iris", "v1", true, "image"],
    ],
  );
  assert.equal(rows[4]?.[6], "linux/amd64");
  assert.match((await user.run(["ls", "store:iris"])).stdout, /store:iris +v1/);
  assert.equal((await user.run(["ls", "store:iris:v9"])).exitCode, 7);
  const data = JSON.parse(
    (await user.run(["ls", "--json"])).stdout.trim().split("\n").at(-1) ?? "{}",
  ) as { images: { name: string }[] };
  assert.deepEqual(
    data.images.map(({ name }) => name),
    ["store:host.test:5000/team/iris:v2", "store:broken:v1", "store:card:latest", "store:iris:v1"],
  );
});

test("a name without a host means what was packed here, for whoever looks at it; with a host it means the registry", async (t) => {
  const { user, store, digest } = await userWithImage(t);
  await store.tag(
    await store.resolve({ registry: "store", repository: "iris", tag: "v1" }),
    parseReference("short:v1"),
  );
  for (const command of ["inspect", "verify"]) {
    const { exitCode, stdout, stderr } = await user.run([command, "short:v1", "--json"]);
    assert.equal(exitCode, 0, stderr);
    assert.ok(stdout.includes(digest), command);
  }
  const registry = await startFaultRegistry(t);
  await store.tag(
    await store.resolve({ registry: "store", repository: "iris", tag: "v1" }),
    parseReference(`${registry.host}/short:v1`),
  );
  assert.notEqual(
    (await user.run(["inspect", `${registry.host}/short:v1`])).exitCode,
    0,
    "the registry has no such image",
  );
});

/* ---- bases that were never downloaded ---- */

test("images whose base was never downloaded are pushed, verified and served all the same, their base fetched when it is asked for", async (t) => {
  const peer = await startDockerRegistry(t);
  if (peer === undefined) return;
  const base = { registry: peer.host, repository: "base/python", tag: "3.11" };
  await using client = createRegistry({ host: peer.host });
  const target = (await pushImage(IMAGE, client.repository("base/python"), { to: [base] }))
    .descriptor;
  const user = await packPlace(t, { isBare: true });
  const stored = await storeSparse(
    user,
    imageFrom(client.repository("base/python"), target),
    `${peer.host}/base/python:3.11`,
  );

  assert.equal((await user.run(["verify", "store:sparse:v1"])).exitCode, 0);
  const pushed = await user.run(["push", "store:sparse:v1", `${peer.host}/team/iris:v1`, "--json"]);
  assert.equal(pushed.exitCode, 0, pushed.stderr);
  const result = JSON.parse(pushed.stdout.trim().split("\n").at(-1) ?? "{}") as {
    bytesMounted: number;
  };
  assert.ok(result.bytesMounted > 20_000, "what the registry has in another repository is mounted");

  const server = user.start(...["registry", "--port", "0"]);
  const url = await firstMatch(server.stdout, /http:\/\/(\S+) serves/);
  const text = await firstMatch(server.stdout, /(\S+ KiB) of base layers are not in the store/);
  assert.match(text, /KiB/);
  await using own = createRegistry({ host: url });
  const puller = await packPlace(t, { isBare: true });
  await using other = storeOf(puller);
  await copy(own.repository("sparse"), other, {
    from: { registry: url, repository: "sparse", tag: "v1" },
    to: [{ registry: "store", repository: "sparse", tag: "v1" }],
  });
  assert.equal((await puller.run(["verify", "store:sparse:v1"])).exitCode, 0);
  await using store = storeOf(user);
  for (const { digest } of parseManifest(await IMAGE.rawManifest()).layers)
    assert.notEqual(await store.sizeOf(digest), undefined, "it is in the store now");
  assert.equal(
    (await store.resolve({ registry: "store", repository: "sparse", tag: "v1" })).digest,
    stored,
  );
});

test("a base layer that cannot be fetched is refused with the reason, and with --no-fetch it is not there", async (t) => {
  const gone = await startFaultRegistry(t);
  await using client = createRegistry({ host: gone.host });
  const target = (
    await pushImage(IMAGE, client.repository("base"), {
      to: [{ registry: gone.host, repository: "base", tag: "v1" }],
    })
  ).descriptor;
  const user = await packPlace(t, { isBare: true });
  await storeSparse(user, imageFrom(client.repository("base"), target), `${gone.host}/base:v1`);
  await gone.close();
  const [layer] = parseManifest(await IMAGE.rawManifest()).layers;
  for (const [args, status, message] of [
    [[], 502, /cannot be fetched: .*connection refused/],
    [["--no-fetch"], 404, /has no blob/],
  ] as const) {
    const server = user.start(...["registry", "--port", "0", ...args]);
    const url = await firstMatch(server.stdout, /(http:\/\/\S+) serves/);
    const response = await fetch(`${url}/v2/sparse/blobs/${layer?.digest}`);
    assert.equal(response.status, status);
    assert.match(await response.text(), message);
  }
});

/** An image on a base of which the store has the manifest only, for two platforms in one index, as pack leaves it. */
async function storeSparse(user: PackPlace, base: Image, name: string): Promise<string> {
  await using store = storeOf(user);
  const image = annotate(
    appendLayers(base, [
      { layer: randomLayer({ seed: 42, bytes: 5000 }), history: { created_by: "test" } },
    ]),
    { "org.opencontainers.image.base.name": name },
  );
  const manifest = parseManifest(await image.rawManifest());
  const layers = await image.layers();
  await putBytes(store, await image.rawConfig(), MEDIA_TYPES.imageConfig);
  const own = layers.at(-1);
  if (own !== undefined) await store.put(await own.descriptor(), own.open());
  const descriptor = await putBytes(store, await image.rawManifest(), MEDIA_TYPES.imageManifest);
  assert.equal(descriptor.digest, (await imageDescriptor(image)).digest);
  assert.equal(await store.has(manifest.layers[0] ?? descriptor), false);
  const index = createIndex([{ descriptor, platform: { os: "linux", architecture: "amd64" } }]);
  const target = await putBytes(store, index.bytes, MEDIA_TYPES.imageIndex);
  await store.tag(target, { registry: "store", repository: "sparse", tag: "v1" });
  return target.digest;
}

const seen = new WeakMap<object, { text: string }>();

/** Waits for a line of a program that runs on. @returns the first group. */
async function firstMatch(stream: NodeJS.ReadableStream | null, pattern: RegExp): Promise<string> {
  if (stream === null) throw new Error("there is no output");
  const state = seen.get(stream) ?? { text: "" };
  if (!seen.has(stream))
    stream.on("data", (chunk: Buffer) => void (state.text += chunk.toString("utf8")));
  seen.set(stream, state);
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const found = pattern.exec(state.text)?.[1];
      if (found !== undefined) resolve(found);
    };
    stream.on("data", look);
    stream.once("end", () => reject(new Error(`it ended without ${pattern}: ${state.text}`)));
    look();
  });
}
