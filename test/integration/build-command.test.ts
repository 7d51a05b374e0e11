import assert from "node:assert/strict";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { openLayout, tagReference } from "../../src/images/layout/index.ts";
import { configOf, imageFrom } from "../../src/images/oci/index.ts";
import { pushImage } from "../../src/images/copy/index.ts";
import { createRegistry } from "../../src/images/registry/index.ts";
import { requireDebianBase, temporaryStore } from "../support/debian-base.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { imageFiles } from "../support/image-files.ts";
import { requireDockerd } from "../support/dockerd.ts";
import { requirePeer } from "../support/peers.ts";
import { type PackPlace, packPlace, type Ran } from "../support/pack-place.ts";

const MIB = 2 ** 20;

async function writeProject(
  user: PackPlace,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  await mkdir(join(user.root, "project"), { recursive: true });
  for (const [path, content] of Object.entries(files))
    await writeFile(join(user.root, "project", path), content);
}

function resultOf({ stdout, stderr, exitCode }: Ran): Readonly<Record<string, unknown>> {
  assert.equal(exitCode, 0, stderr + stdout);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  return events.findLast(({ event }) => event === "result") ?? {};
}

test("a change of code sends the code, and no weights", async (t) => {
  const peer = await startDockerRegistry(t);
  if (peer === undefined) return;
  const user = await packPlace(t, { isBare: true });
  await writeProject(user, {
    Dockerfile:
      'FROM scratch\nCOPY weights.bin /models/\nCOPY serve.py /app/\nCMD ["/app/serve.py"]\n',
    "weights.bin": Buffer.alloc(16 * MIB, "weights"),
    "serve.py": "print(1)\n",
  });
  const build = ["build", "-t", `${peer.host}/team/app:v1`, "project", "--push", "--json"];
  const first = resultOf(await user.run(build));
  assert.ok(Number(first["bytesUploaded"]) > 16 * MIB);
  const again = resultOf(await user.run(build));
  assert.equal(again["digest"], first["digest"], "the same context gives the same image");
  await writeProject(user, { "serve.py": "print(2)\n" });
  const changed = resultOf(await user.run(build));
  assert.notEqual(changed["digest"], first["digest"]);
  assert.ok(Number(changed["bytesUploaded"]) < 20_000, String(changed["bytesUploaded"]));
});

/** A user whose builders keep their images in the user's own folders, and a base with a shell in a registry. */
async function withShellBase(
  t: TestContext,
): Promise<{ readonly user: PackPlace; readonly base: string } | undefined> {
  const peer = await startDockerRegistry(t);
  if (peer === undefined) return undefined;
  const base = await requireDebianBase(t, {
    include: ["dash", "coreutils"],
    architectures: ["amd64"],
    blobs: await temporaryStore(t),
  });
  const image = base?.images[0]?.image;
  if (image === undefined) return undefined;
  await using owner = createRegistry({ host: peer.host });
  await pushImage(image, owner.repository("base/shell"), {
    to: [{ registry: peer.host, repository: "base/shell", tag: "1" }],
  });
  const user = await packPlace(t, { isBare: true });
  const storage = join(user.root, "storage.conf");
  await writeFile(
    storage,
    `[storage]\ndriver = "vfs"\ngraphroot = "${user.root}/graph"\nrunroot = "${user.root}/run"\n`,
  );
  Object.assign(user.env, { CONTAINERS_STORAGE_CONF: storage });
  return { user, base: `${peer.host}/base/shell:1` };
}

for (const builder of ["buildah", "podman", "docker"]) {
  test(`steps that execute go to ${builder}, and what stands around them is done here`, async (t) => {
    const dockerd = builder === "docker" ? await requireDockerd(t) : undefined;
    if (builder === "docker" && dockerd === undefined) return;
    if ((await requirePeer(t, builder)) === undefined) return;
    const place = await withShellBase(t);
    if (place === undefined) return;
    const { user, base } = place;
    if (dockerd !== undefined) Object.assign(user.env, { DOCKER_HOST: dockerd.host });
    await writeProject(user, {
      Dockerfile: [
        `FROM ${base} AS made`,
        "ARG WORD=none",
        "COPY a.txt /work/",
        "WORKDIR /work",
        "RUN cat a.txt > b.txt && echo $WORD >> b.txt",
        "RUN <<EOF",
        "echo heredoc > c.txt",
        "EOF",
        "FROM scratch",
        "COPY --from=made --chown=3:4 --parents /work/./*.txt /out/",
        "ENV X=1",
        "",
      ].join("\n"),
      "a.txt": "a\n",
    });
    const build = ["build", "--build-arg", "WORD=said", "-t", "store:made", "project"];
    const options = ["--builder", builder, "-o", "oci=out"];
    const first = await user.run([...build, ...options]);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.match(
      first.stderr,
      new RegExp(`Dockerfile:5:1: RUN cat .*handing it over to ${builder} \\d`),
    );
    const layout = openLayout(join(user.root, "out"));
    const image = imageFrom(layout, await layout.resolve(tagReference("latest")));
    const files = Object.fromEntries(await imageFiles(image));
    assert.match(files["/out/b.txt"] ?? "", /^f 0644 3:4 7 /); // "a\nsaid\n"
    assert.match(files["/out/c.txt"] ?? "", /^f 0644 3:4 8 /);
    assert.equal((await configOf(image)).config?.Env?.includes("X=1"), true);

    const second = await user.run([...build, "--json"]);
    assert.equal(resultOf(second)["digest"], (await layout.list())[0]?.digest);
    assert.match(second.stdout, /taken from an earlier run/);
  });
}

test("without a builder the step that executes is named, and nothing is left behind", async (t) => {
  const user = await packPlace(t, { isBare: true });
  await mkdir(join(user.root, "bin"));
  await symlink(process.execPath, join(user.root, "bin/node"));
  await writeProject(user, {
    Dockerfile: "FROM scratch\nCOPY a.txt /\nRUN /a.txt\n",
    "a.txt": "a",
  });
  const failed = await user.run(["build", "-t", "store:x", "project", "-o", "oci=out"], {
    env: { PATH: join(user.root, "bin") },
  });
  assert.equal(failed.exitCode, 8);
  assert.match(failed.stderr, /ENGINE_MISSING: build .*Dockerfile:3:1: RUN \/a\.txt executes/);
  assert.match(failed.stderr, /buildah: not installed/);
  assert.equal((await readdir(user.root)).includes("out"), false);
});

test("build, login and push by copy and paste, with a word on what does not fit together", async (t) => {
  const peer = await startDockerRegistry(t);
  if (peer === undefined) return;
  const user = await packPlace(t, { isBare: true });
  const name = `${peer.host}/demo/object-detect-infer:test`;
  await writeProject(user, {
    "object-detect-cpu.Dockerfile": [
      "FROM hub.internal.test/shared/base:v1.2 AS unused",
      "FROM scratch",
      "EXPOSE 8080",
      "ADD ./code/ /ai-ucloud-client-django/",
      "ADD ./object-detect.conf /ai-ucloud-client-django/conf.json",
      "ENV UAI_SERVICE_CONFIG /ai-ucloud-client-django/conf.json",
      "",
    ].join("\n"),
    "object-detect.conf": "{}",
  });
  await mkdir(join(user.root, "project/code"));
  await writeProject(user, {
    "code/object_detect_inference.py": "class A:\n    def load(self):\n\tprint 'loaded'\n",
    "code/ops.py": "print('fine')\n",
  });
  await mkdir(join(user.root, ".docker"));
  await writeFile(
    join(user.root, ".docker/config.json"),
    JSON.stringify({
      auths: { "hub.internal.test": { auth: Buffer.from("u:p").toString("base64") } },
    }),
  );
  const env = { SLIPWAY_REGISTRY_HOSTS: `${peer.host}=hub.internal.test` };
  const built = await user.run(
    ["build", "-t", name, "-f", "project/object-detect-cpu.Dockerfile", "project"],
    { env },
  );
  assert.equal(built.exitCode, 0, built.stderr);
  assert.match(built.stderr, /FROM names "hub\.internal\.test" and the tag "127\.0\.0\.1:\d+"/);
  assert.match(built.stderr, /the login is for "hub\.internal\.test": run `slipway login 127/);
  assert.match(built.stderr, /object_detect_inference\.py:3: Python 3 will not run it/);
  assert.doesNotMatch(built.stderr, /ops\.py/);
  assert.equal((await user.run(["push", name])).exitCode, 0);
});

test("a Dockerfile may come on standard input; labels and the digest's file are as docker has them", async (t) => {
  const user = await packPlace(t, { isBare: true });
  await writeProject(user, { "serve.py": "print(1)\n", ".dockerignore": "*.md\n", "a.md": "" });
  const stdin = "FROM scratch\nLABEL team=blue stage=dev\nCOPY . /app/\n";
  const words = ["--label", "team=red", "--label", "commit=abc", "--iidfile", "iid.txt"];
  const env = { GIT_REF: "main" };
  const built = resultOf(
    await user.run(
      [
        ...["build", "-t", "store:piped", "-f", "-", "project", ...words, "--label", "GIT_REF"],
        ...["-o", "oci=out", "--json"],
      ],
      { stdin, env },
    ),
  );
  assert.equal(await readFile(join(user.root, "iid.txt"), "utf8"), built["digest"]);
  const layout = openLayout(join(user.root, "out"));
  const image = imageFrom(layout, await layout.resolve(tagReference("latest")));
  assert.deepEqual((await configOf(image)).config?.Labels, {
    ...{ team: "red", stage: "dev", commit: "abc", GIT_REF: "main" },
  });
  const paths = [...(await imageFiles(image)).keys()];
  assert.ok(
    paths.some((path) => path.endsWith("app/serve.py")),
    paths.join(" "),
  );
  assert.ok(!paths.some((path) => path.endsWith("a.md")), "the ignore file of the context holds");
  const wrong = await user.run(["build", "-f", "-", "project"], {
    stdin: "FROM scratch\nCOPPY a b\n",
  });
  assert.equal(wrong.exitCode, 3, wrong.stderr);
  assert.match(wrong.stderr, /-:2:1: unknown instruction: COPPY/);
});
