import assert from "node:assert/strict";
import { rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startEntry, type Served } from "./serve-support.ts";

const answering = (text: string): string =>
  `print("loaded ${text}")\nclass Model:\n    def predict(self, X, names):\n        return "${text}"\n`;

async function answerOf(served: Served): Promise<string> {
  return ((await (await served.predict([[1]])).json()) as { strData: string }).strData;
}

test("with SLIPWAY_WATCH an edit is live without a request lost, and a broken one keeps what was there and says why", async (t) => {
  await using served = await startEntry(t, {
    source: answering("one"),
    env: { SLIPWAY_WATCH: "1" },
  });
  if (served === undefined) return;
  assert.equal(await answerOf(served), "one");
  let isDone = false;
  const seen = new Set<string>();
  const client = async (): Promise<void> => {
    while (!isDone) seen.add(await answerOf(served));
  };
  const clients = [client(), client()];
  await save(served.folder, answering("two"));
  await served.line(({ msg }) => msg === "reloaded");
  assert.equal(await answerOf(served), "two");

  await save(served.folder, "class Model:\n    def predict(self, X, names:\n");
  const failed = await served.line(({ msg }) => msg.startsWith("reload: the model before goes on"));
  assert.match(failed.msg, /SyntaxError/);
  assert.equal(await answerOf(served), "two");
  assert.equal((await fetch(`${served.url}/ready`)).status, 200);

  const count = served.log.filter(({ msg }) => msg === "reloaded").length;
  await save(served.folder, answering("three"));
  await served.line(
    (record) =>
      record.msg === "reloaded" &&
      served.log.filter(({ msg }) => msg === "reloaded").length > count,
  );
  assert.equal(await answerOf(served), "three");
  isDone = true;
  await Promise.all(clients);
  assert.deepEqual(
    [...seen].sort(),
    ["one", "three", "two"].filter((text) => seen.has(text)),
  );
  const page = await (await fetch(`${served.url}/metrics`)).text();
  assert.match(page, /^slipway_reloads_total\{.*\} 2\.0$/m);
  assert.match(page, /^slipway_failed_reloads_total\{.*\} 1\.0$/m);
});

test("an edit of the same length in the same second is seen", async (t) => {
  await using served = await startEntry(t, {
    source: answering("one"),
    env: { SLIPWAY_WATCH: "1" },
  });
  if (served === undefined) return;
  assert.equal(await answerOf(served), "one");
  const { atime, mtime } = await stat(join(served.folder, "Model.py"));
  const draft = `${served.folder}.draft`;
  await writeFile(draft, answering("two"));
  await utimes(draft, atime, mtime);
  await rename(draft, join(served.folder, "Model.py"));
  await served.line(({ msg }) => msg === "reloaded");
  assert.equal(await answerOf(served), "two");
});

test("without it nothing is watched", async (t) => {
  await using served = await startEntry(t, { source: answering("one") });
  if (served === undefined) return;
  await save(served.folder, answering("two"));
  assert.equal(await answerOf(served), "one");
  assert.equal(served.log.filter(({ msg }) => msg.startsWith("loaded")).length, 1);
});

/** As editors do: the file is there as a whole or not at all, so that no half of it is loaded. */
async function save(folder: string, source: string): Promise<void> {
  const draft = `${folder}.draft`;
  await writeFile(draft, source);
  await rename(draft, join(folder, "Model.py"));
}

test("answers say which code gave them, and the same code again has the same digest", async (t) => {
  const image = `registry.example/a/b@sha256:${"0".repeat(64)}`;
  await using served = await startEntry(t, {
    source: answering("one"),
    env: { SLIPWAY_WATCH: "1", SLIPWAY_IMAGE: image },
  });
  if (served === undefined) return;
  const told = async (): Promise<readonly [text: string, digest: string | null]> => {
    const response = await served.predict([[1]]);
    assert.equal(response.headers.get("slipway-image-digest"), image.split("@")[1]);
    const { strData } = (await response.json()) as { strData: string };
    return [strData, response.headers.get("slipway-code-digest")];
  };
  const [, first] = await told();
  assert.match(first ?? "", /^sha256:[0-9a-f]{64}$/);
  const seen = new Map<string, Set<string | null>>();
  let isDone = false;
  const client = (async (): Promise<void> => {
    while (!isDone) {
      const [text, digest] = await told();
      seen.set(text, (seen.get(text) ?? new Set()).add(digest));
    }
  })();
  const reloaded = async (text: string): Promise<void> => {
    const count = served.log.filter(({ msg }) => msg === "reloaded").length;
    await save(served.folder, answering(text));
    await served.line(
      ({ msg }) =>
        msg === "reloaded" && served.log.filter((line) => line.msg === "reloaded").length > count,
    );
  };
  await reloaded("two");
  const [, second] = await told();
  assert.notEqual(second, first);
  const page = await (await fetch(`${served.url}/metrics`)).text();
  assert.match(page, new RegExp(`^slipway_model_info\\{code_digest="${second}",.*\\} 1`, "m"));
  const metadata = (await (await fetch(`${served.url}/v2/models/Model`)).json()) as {
    parameters: Record<string, string>;
  };
  assert.equal(metadata.parameters["slipway_code_digest"], second);
  await reloaded("one");
  assert.equal((await told())[1], first);
  isDone = true;
  await client;
  for (const digests of seen.values()) assert.equal(digests.size, 1);
});
