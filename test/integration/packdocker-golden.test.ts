import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  configOf,
  manifestOf,
  uncompressed,
  validateImage,
  type Image,
} from "../../src/images/oci/index.ts";
import { readTar } from "../../src/images/tar/index.ts";
import { putFakeBase } from "../support/fake-base.ts";
import { packPlace, type Ran } from "../support/pack-place.ts";
import {
  ACCOUNT,
  documentBlock,
  documentCommand,
  FOLDERS,
  putIntoUhub,
  UHUB,
  UHUB_INSIDE,
  type UhubPlace,
  uhubPlace,
} from "../support/uhub-place.ts";

// A change here is one that users see: review it, then run the test once with SLIPWAY_UPDATE_GOLDEN=1.
const GOLDEN = join(import.meta.dirname, "../fixtures/golden/packdocker");

const MODES = ["self", "tf", "caffe", "keras", "mxnet"] as const;
const SERVER_ROOT = "ai-ucloud-client-django";
/** A base of the user's own, which needs the account as the pushed image does. */
const OWN_BASE = `${UHUB}/uai_demo/base:v1`;
/** What a reader of the documents puts in for the words in capitals. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  BIMG_NAME: OWN_BASE,
  PACK_FILE_PATH: "mnist_self",
  CONF_FILE: "my.conf",
  UHUB_USERNAME: ACCOUNT.username,
  UHUB_PASSWORD: ACCOUNT.password,
  UHUB_REGISTRY: "uai_demo",
  UHUB_IMAGENAME: "self-inference:test",
};

/** The words of a sample; absolute paths are those of this test, and of nothing else. */
function sample(mode: string, cli: UhubPlace): readonly string[] {
  return documentCommand(`packdocker-${mode}`).map((word) => {
    if (word.startsWith("/data/sdk-test/"))
      return join(cli.root, word.slice(word.lastIndexOf("/")));
    return word.replace(/(?<=^|=)[A-Z_]+$/, (name) => PLACEHOLDERS[name] ?? name);
  });
}

function holds(name: string, text: string): void {
  const path = join(GOLDEN, name);
  if (process.env["SLIPWAY_UPDATE_GOLDEN"] === "1") {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(path, text);
  }
  assert.equal(text, readFileSync(path, "utf8"), name);
}

/** What the screen shows, without times, rates and what names a build. Uploads run side by side, so their lines are sorted. */
function screenOf({ stdout, stderr }: Ran): string {
  const lines = stderr.trimEnd().split("\n");
  const uploads = lines
    .filter((line) => line.startsWith("  "))
    .map((line) =>
      line
        .replace(/: [\d.]+ [KMG]?i?B.*$/, "")
        .replace(/^( {2}python: .*) [\d.]+$/, "$1")
        .replace(/ \(.*\)$/, ""),
    );
  return [
    "stderr:",
    ...lines.filter((line) => !line.startsWith("  ")),
    ...uploads.toSorted(),
    "stdout:",
    stdout.replaceAll(/sha256:[0-9a-f]{64}/g, "sha256:DIGEST"),
  ].join("\n");
}

/** The config that a container runs with, without what names a version or the base. */
async function runConfigOf(image: Image): Promise<string> {
  const { architecture, os, config = {} } = await configOf(image);
  const Labels = Object.fromEntries(
    Object.entries(config.Labels ?? {}).filter(
      ([key]) =>
        !/^(dev\.slipway\.(base\.|version$|framework$)|org\.opencontainers\.image\.base\.)/.test(
          key,
        ),
    ),
  );
  return `${JSON.stringify({ architecture, os, config: { ...config, Labels } }, undefined, 1)}\n`;
}

/** Mode, path and target of every entry above the base; of the tool's own folders the name alone. */
async function filesOf(
  image: Image,
  baseLayers: number,
): Promise<{ readonly listing: string; readonly contents: ReadonlyMap<string, string> }> {
  const { layers } = await manifestOf(image);
  const [lines, contents]: [string[], Map<string, string>] = [[], new Map()];
  for (const [index, layer] of (await image.layers()).entries()) {
    if (index < baseLayers) continue;
    const own = new Set<string>();
    for await (const { entry, content } of readTar(
      uncompressed(layer.open(), layers[index]?.mediaType ?? ""),
    )) {
      const inTool =
        /^opt\/slipway\/(python|site-packages|bin|page)\//.exec(entry.path)?.[0] ??
        /^opt\/slipway\/(?=[^/]+\.(?:mjs|wasm)$)/.exec(entry.path)?.[0].concat("*.mjs");
      own.add(
        inTool ??
          `${entry.mode.toString(8)} ${entry.path}${entry.type === "directory" ? "/" : ""}${entry.linkTarget === undefined ? "" : ` -> ${entry.linkTarget}`}`,
      );
      if (entry.path.startsWith(`${SERVER_ROOT}/`))
        contents.set(
          entry.path.slice(SERVER_ROOT.length + 1),
          Buffer.concat(await Array.fromAsync(content)).toString("utf8"),
        );
    }
    lines.push(`layer ${index - baseLayers + 1}`, ...[...own].map((line) => `  ${line}`));
  }
  return { listing: `${lines.join("\n")}\n`, contents };
}

async function placeWithBases(t: TestContext): Promise<UhubPlace | undefined> {
  const place = await uhubPlace(t);
  if (place === undefined) return undefined;
  await putFakeBase(place.store, "mine");
  await putIntoUhub(place.uhub, place.store, { from: "mine", to: OWN_BASE });
  return place;
}

const BASE_LAYERS = 3;

for (const mode of MODES) {
  test(`the documents' sample of ${mode} pushes the image that it always pushed, and says so in their words`, async (t) => {
    const place = await placeWithBases(t);
    if (place === undefined) return;
    const before = await treeOf(place);
    const ran = await place.slipway(...sample(mode, place));
    assert.equal(ran.exitCode, 0, ran.stderr);
    const name = `${UHUB}/${mode === "self" ? "uai_demo" : "xxxxx"}/${mode}-inference:test`;
    const [first] = ran.stdout.split("\n");
    assert.equal(first, `upload docker images successful. images:${name}`);
    const image = place.pushed(name);
    await validateImage(image);
    const { listing, contents } = await filesOf(image, BASE_LAYERS);
    const confName = mode === "self" ? "my.conf" : "ufile.json";
    holds(`${mode}.${confName}`, contents.get(confName) ?? "");
    holds(`${mode}.image.json`, await runConfigOf(image));
    holds(`${mode}.files.txt`, listing);
    holds(`${mode}.screen.txt`, screenOf(ran));
    for (const [path, content] of Object.entries(FOLDERS[`mnist_${mode}`] ?? {}))
      assert.equal(contents.get(path), content, path);
    assert.deepEqual(await treeOf(place), before, "the user's folder is as it was");
  });
}

/** Every file of the user's, and where the command ran. */
async function treeOf(cli: UhubPlace): Promise<readonly string[]> {
  return (await readdir(cli.root, { recursive: true })).toSorted();
}

test("every other way to write the same command gives the same image", async (t) => {
  const place = await placeWithBases(t);
  if (place === undefined) return;
  const cli = place;
  const digestOf = async (words: readonly string[], host = UHUB): Promise<string> => {
    const ran = await cli.slipway(...words);
    assert.equal(ran.exitCode, 0, `${words.join(" ")}\n${ran.stderr}`);
    const [, digest] =
      new RegExp(
        `^upload docker images successful\\. images:${host}/\\S+\n\\S+ (sha256:[0-9a-f]{64})\n$`,
      ).exec(ran.stdout) ?? [];
    assert.ok(digest !== undefined, ran.stdout);
    return digest;
  };
  for (const mode of MODES) {
    const words: readonly string[] = sample(mode, place).flatMap((word) =>
      word.startsWith("--") ? word.split("=") : [word],
    );
    const [start, pairs] = [
      words.slice(0, 2),
      Array.from(
        { length: (words.length - 2) / 2 },
        (_, index) => [words[2 + 2 * index] ?? "", words[3 + 2 * index] ?? ""] as const,
      ),
    ];
    const wanted = await digestOf(words);
    const folder = `mnist_${mode}`;
    const withFolder = (written: string): readonly string[] => [
      ...start,
      ...pairs.flatMap(([name, value]) => [name, name === "--pack_file_path" ? written : value]),
    ];
    const dashed = (name: string, value: string): string =>
      `--${name.slice(2).replaceAll("_", "-")}=${name === "--pack_file_path" ? `${value}/` : value}`;
    const spellings: readonly (readonly string[])[] = [
      [...start, ...pairs.toReversed().map(([name, value]) => dashed(name, value))],
      [...start, ...pairs.map((pair) => pair.join("="))],
      [...withFolder(`${join(cli.root, folder)}/`), "--in_uhost", "no"],
      [...withFolder(`./${folder}`), "--in_host=no"],
    ];
    for (const spelling of mode === "keras" ? spellings : spellings.slice(0, 1))
      assert.equal(await digestOf(spelling), wanted, spelling.join(" "));
    if (mode !== "keras") continue;
    for (const inside of [["--in_uhost", "yes"], ["--in-host=yes"]])
      assert.equal(await digestOf([...words, ...inside], UHUB_INSIDE), wanted, inside.join(" "));
  }
});

test("the samples with the documents' own placeholders are refused for their values alone", async (t) => {
  const place = await placeWithBases(t);
  if (place === undefined) return;
  const { exitCode, stderr } = await place.slipway(...documentCommand("packdocker-self"));
  assert.equal(exitCode, 2);
  holds("self-placeholders.screen.txt", stderr);
});

/** `--flag VALUE` and `[--flag VALUE]` of a usage line. */
function usageFlags(name: string): readonly string[] {
  return [...documentBlock(name).matchAll(/--(\w+)/g)].map(([, flag]) => flag ?? "");
}

test("every flag of the documents' usage lines is one of its command, in both spellings", async (t) => {
  const user = await packPlace(t, { isBare: true });
  const modes = {
    "packdocker-self-usage": [["packdocker", "self"]],
    "packdocker-usage": ["tf", "caffe", "mxnet", "keras"].map((mode) => ["packdocker", mode]),
    "pytorch-pack-usage": [["pytorch", "pack"]],
  };
  for (const [block, commands] of Object.entries(modes)) {
    const flags = usageFlags(block);
    assert.ok(flags.length >= 7, block);
    for (const command of commands) {
      // A flag that nobody knows is told before a folder is missed.
      const { exitCode, stderr } = await user.run([
        ...command,
        ...flags.flatMap((flag) => [`--${flag}`, "x", `--${flag.replaceAll("_", "-")}`, "x"]),
      ]);
      assert.doesNotMatch(stderr, /unknown option/, command.join(" "));
      assert.equal(exitCode, 2, stderr);
    }
  }
});

test("every release of the documents' table is taken for its framework, quoted as they say, and for no other", async (t) => {
  const place = await placeWithBases(t);
  if (place === undefined) return;
  const rows = documentBlock("packdocker-versions")
    .trimEnd()
    .split("\n")
    .map((cell) => cell.replaceAll("'", ""));
  assert.equal(rows.length, 8);
  const pack = (mode: string, release: string): Promise<Ran> =>
    place.slipway(
      ...sample(mode, place),
      "--ai_arch_v",
      release,
      "--bimg_name",
      "store:mine",
      "--dry-run",
    );
  for (const release of rows) {
    const mode =
      MODES.find((name) => release.startsWith(name === "tf" ? "tensorflow-" : name)) ?? "";
    assert.equal((await pack(mode, release)).exitCode, 0, release);
  }
  const { exitCode, stderr } = await pack("caffe", rows[0] ?? "");
  assert.equal(exitCode, 2, stderr);
  assert.match(
    stderr,
    /--ai_arch_v: "tensorflow-1\.1\.0" is a release for tf, not for caffe; known are caffe-1\.0\.0, caffe-intel 1\.0\.0/,
  );
});

test("the documents' sample of pytorch_tool.py names the images and commands that they print", async (t) => {
  const user = await packPlace(t, { isBare: true });
  const [pack = "", ...flags] = documentCommand("pytorch-pack");
  mkdirSync(join(user.root, "code"));
  writeFileSync(join(user.root, "code/mnist.py"), "print('hello')\n");
  const { exitCode, stdout, stderr } = await user.run(["pytorch", pack, ...flags, "--dry-run"]);
  assert.equal(exitCode, 0, stderr);
  const example = "/home/ubuntu/uai-sdk/examples/pytorch/train/mnist";
  for (const line of [
    "CMD Used for deploying: /data/mnist.py",
    `CMD for CPU local test: sudo docker run -it -v ${example}/data:/data/data -v ${example}/output:/data/output pytorch-mnist-cpu:uaitrain /bin/bash -c "cd /data && /usr/bin/python /data/mnist.py  --work_dir=/data --data_dir=/data/data --output_dir=/data/output --log_dir=/data/output"`,
  ]) {
    assert.ok(stdout.split("\n").includes(line), `${line} in\n${stdout}`);
  }
  assert.ok(stdout.includes(`${UHUB}/xxxx/pytorch-mnist:uaitrain `));
});
