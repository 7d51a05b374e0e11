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
