import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type PackPlace, packPlace } from "../support/pack-place.ts";

const GOLDEN = join(import.meta.dirname, "../fixtures/golden/train/pytorch-gpu.txt");

// As the pytorch-pack document prints it, but for the first words.
const DOCUMENT =
  `--public_key xxxx --private_key xxxx --code_path ./code/ --mainfile_path mnist.py --uhub_username xxxx --uhub_password xxxx --uhub_registry fanrongtest --uhub_imagename pytorch-mnist --test_data_path /home/ubuntu/uai-sdk/examples/pytorch/train/mnist/data --test_output_path /home/ubuntu/uai-sdk/examples/pytorch/train/mnist/output --ai_arch_v pytorch-0.2.0`.split(
    " ",
  );

async function withCode(user: PackPlace): Promise<void> {
  await mkdir(join(user.root, "code"));
  await writeFile(join(user.root, "code/mnist.py"), "print('hello')\n");
}

test("the command line of the documents is taken as it stands, in both spellings, with dashes and with equals signs", async (t) => {
  const user = await packPlace(t, { isBare: true });
  await withCode(user);
  const golden = await readFile(GOLDEN, "utf8");
  const spellings = [
    ["pytorch", "pack", ...DOCUMENT],
    ["train", "pack", "--framework", "pytorch", ...DOCUMENT],
    [
      "pytorch",
      "pack",
      ...DOCUMENT.map((word) => (word.startsWith("--") ? word.replaceAll("_", "-") : word)),
    ],
    [
      "pytorch",
      "pack",
      ...DOCUMENT.flatMap((word, index) =>
        index % 2 === 0 ? [`${word}=${DOCUMENT[index + 1] ?? ""}`] : [],
      ),
    ],
  ];
  for (const words of spellings) {
    const { exitCode, stdout, stderr } = await user.run([...words, "--dry-run"]);
    assert.equal(exitCode, 0, stderr);
    assert.ok(stdout.includes(golden), stdout);
    assert.equal(await readFile(join(user.root, "uaitrain_cmd.txt"), "utf8"), golden);
    assert.match(stderr, /--uhub_password and --private_key on the command line/);
    assert.match(stdout, /base images are the vendor's own, and closed/);
  }
});

test("mistakes on the command line are told at once, with exit code 2", async (t) => {
  const user = await packPlace(t, { isBare: true });
  await withCode(user);
  for (const [words, message] of [
    [
      ["pytorch", "pack", "--code_path", "code"],
      /--ai_arch_v, --uhub_registry, .*--test_output_path are missing/,
    ],
    [["train", "pack", "--framework", "torch7"], /no framework "torch7"/],
    [["self", "pack", "--ai_arch_v", "x"], /unknown option '--ai_arch_v'/],
    [["tf", "pack", ...DOCUMENT], /it is for pytorch, and this is pack for tf/],
    [["train"], /does not say what to do/],
    [["train", "manifest", "--kind", "pod"], /no kind/],
  ] as const) {
    const { exitCode, stderr } = await user.run(words);
    assert.match(stderr, message);
    assert.equal(exitCode, 2, stderr);
  }
});

test("a large file is split and joined by the command line as by the old tool", async (t) => {
  const user = await packPlace(t, { isBare: true });
  await writeFile(join(user.root, "x.bin"), Buffer.alloc(3 * 2 ** 20, 7));
  const split = await user.run(["train", "split", ".", "x.bin", "parts", "--size", "1"]);
  assert.match(split.stdout, /x\.bin-part0001\n.*x\.bin-part0002\n.*x\.bin-part0003\n$/);
  const joined = await user.run(["train", "join", "parts", "x.bin", "y.bin"]);
  assert.match(joined.stdout, /y\.bin from 3 parts/);
  assert.ok((await readFile(join(user.root, "y.bin"))).equals(Buffer.alloc(3 * 2 ** 20, 7)));
});
