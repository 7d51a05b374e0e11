import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { addToHostsFile, parseHosts } from "./index.ts";

test("pairs of HOSTS are read as the document has them", () => {
  assert.deepEqual(parseHosts(undefined), new Map());
  assert.deepEqual(
    parseHosts("10.0.0.1<->a.b,10.0.0.2<->C\n::1<->six"),
    new Map([
      ["a.b", "10.0.0.1"],
      ["c", "10.0.0.2"],
      ["six", "::1"],
    ]),
  );
});

for (const text of [
  "a.b<->10.0.0.1",
  "10.0.0.1",
  "10.0.0.1<->",
  "10.0.0.1<->a<->b",
  "1.2.3<->a",
  "1.2.3.4<->a#b",
])
  test(`"${text}" is refused as a pair of HOSTS`, () => {
    assert.throws(() => parseHosts(text), { code: "USAGE", message: /HOSTS/ });
  });

test("the hosts file gets what it lacks, once, and keeps all it had", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-hosts-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "hosts");
  await writeFile(file, "127.0.0.1 localhost # 10.0.0.1 a\n10.0.0.2\tb B2");
  const hosts = parseHosts("10.0.0.1<->a,10.0.0.2<->b");
  assert.equal(await addToHostsFile(hosts, file), true);
  assert.equal(await addToHostsFile(hosts, file), true);
  const text = await readFile(file, "utf8");
  assert.equal(text, "127.0.0.1 localhost # 10.0.0.1 a\n10.0.0.2\tb B2\n10.0.0.1 a\n");
  assert.equal(await addToHostsFile(hosts, join(folder, "none")), false);
});
