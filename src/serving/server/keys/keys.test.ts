import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { InferenceError, ToolError } from "../../../ground/errors/index.ts";
import { createLogger } from "../log/index.ts";
import { ApiKeys } from "./api-keys.ts";
import { takeKey } from "./key-headers.ts";
import { digestOf, parseKeys } from "./parse-keys.ts";
import { userCodeEnv, withoutKeys } from "./key-variables.ts";
import { followKeys, readKeys } from "./read-keys.ts";

const PLAIN = "0123456789abcdef";
const OTHER = "fedcba9876543210";

test("keys are read plain and hashed, with scopes and rates", () => {
  const hashed = `sha256:${digestOf(OTHER).toString("hex")}`;
  const [plain, second] = parseKeys(
    `# people\n\nann ${PLAIN}\r\n bob  ${hashed} scopes=infer,manage rate=90/m burst=5`,
    "a file",
  );
  assert.deepEqual(plain?.digest, digestOf(PLAIN));
  assert.deepEqual([...(plain?.scopes ?? [])], ["infer"]);
  assert.equal(plain?.rate, undefined);
  assert.deepEqual(second?.digest, digestOf(OTHER));
  assert.deepEqual(second?.rate, { perSecond: 1.5, burst: 5 });
  assert.deepEqual([...(second?.scopes ?? [])], ["infer", "manage"]);
  assert.deepEqual(parseKeys(`a ${PLAIN} rate=2.5/s`, "")[0]?.rate, { perSecond: 2.5, burst: 3 });
});

for (const [what, text, why] of [
  ["no key", "# nobody\n", /there is none/],
  ["a short key", "ann secret", /line 1: .*16 or more/],
  ["a key that no header can hold", `ann 0123456789abcdeé`, /printable ASCII/],
  ["half a digest", "ann sha256:00ff", /no SHA-256/],
  ["a name of other characters", `a/b ${PLAIN}`, /the name/],
  ["one name twice", `ann ${PLAIN}\nann ${OTHER}`, /line 2: "ann" is there twice/],
  ["one key twice", `ann ${PLAIN}\nbob ${PLAIN}`, /another one's too/],
  ["an option that nobody knows", `ann ${PLAIN} admin=yes`, /no option/],
  ["an option twice", `ann ${PLAIN} rate=1/s rate=2/s`, /twice/],
  ["a scope that nobody knows", `ann ${PLAIN} scopes=all`, /infer and manage/],
  ["a rate of nothing", `ann ${PLAIN} rate=0/s`, /a rate is/],
  ["a rate without a unit", `ann ${PLAIN} rate=10`, /a rate is/],
  ["a burst without a rate", `ann ${PLAIN} burst=3`, /without a rate/],
  ["a burst of nothing", `ann ${PLAIN} rate=1/s burst=0`, /1 or more/],
] as const)
  test(`no keys are read of ${what}, and the error shows none`, () => {
    assert.throws(
      () => parseKeys(text, '"keys"'),
      (error) =>
        error instanceof ToolError &&
        error.code === "USAGE" &&
        why.test(error.message) &&
        !error.message.includes(PLAIN),
    );
  });

test("a key stands in either header, and is taken out of them", () => {
  const headers = { authorization: `bEARER ${PLAIN}`, "x-api-key": OTHER, host: "h" };
  assert.equal(takeKey(headers), PLAIN);
  assert.deepEqual(headers, { host: "h" });
  const basic = { authorization: "Basic Zm9v", "x-api-key": ` ${OTHER} ` };
  assert.equal(takeKey(basic), OTHER);
  assert.deepEqual(basic, { authorization: "Basic Zm9v" });
  assert.equal(takeKey({ authorization: "Basic Zm9v" }), undefined);
});

function codeOf(ask: () => unknown): string {
  try {
    ask();
    return "admitted";
  } catch (error) {
    assert.ok(error instanceof InferenceError);
    assert.ok(!error.message.includes(PLAIN) && !error.hint?.includes(PLAIN));
    return error.retryAfterSeconds === undefined
      ? error.code
      : `${error.code} ${error.retryAfterSeconds}`;
  }
}

test("who shows no key, a wrong one, or one for something else is refused, and each is counted", () => {
  const seen: string[] = [];
  const keys = new ApiKeys(
    parseKeys(`ann ${PLAIN}\nroot ${OTHER} scopes=manage`, ""),
    (outcome, name) => seen.push(`${name}:${outcome}`),
  );
  assert.ok(keys.hasManager);
  assert.equal(
    codeOf(() => keys.admit(undefined, "infer")),
    "KEY_REFUSED",
  );
  assert.equal(
    codeOf(() => keys.admit("", "infer")),
    "KEY_REFUSED",
  );
  assert.equal(
    codeOf(() => keys.admit(PLAIN.slice(1), "infer")),
    "KEY_REFUSED",
  );
  assert.equal(
    codeOf(() => keys.admit("x".repeat(5000), "infer")),
    "KEY_REFUSED",
  );
  assert.equal(
    codeOf(() => keys.admit(digestOf(PLAIN).toString("hex"), "infer")),
    "KEY_REFUSED",
  );
  assert.equal(
    codeOf(() => keys.admit(PLAIN, "manage")),
    "SCOPE_REFUSED",
  );
  assert.equal(
    codeOf(() => keys.admit(OTHER, "infer")),
    "SCOPE_REFUSED",
  );
  assert.equal(
    codeOf(() => keys.admit(PLAIN, "infer")),
    "admitted",
  );
  assert.deepEqual(seen, [
    ...[":missing", ":missing", ":unknown", ":unknown", ":unknown"],
    ...["ann:scope", "root:scope", "ann:admitted"],
  ]);
});

test("a rate lets a burst through, says when the next request may come, and outlives an exchange of keys", () => {
  let now = 1000;
  const keysOf = (text: string): ReturnType<typeof parseKeys> => parseKeys(text, "");
  const text = `ann ${PLAIN} rate=6/m burst=2\nbob ${OTHER}`;
  const keys = new ApiKeys(keysOf(text), undefined, () => now);
  const ask = (): string => codeOf(() => keys.admit(PLAIN, "infer"));
  assert.deepEqual([ask(), ask(), ask()], ["admitted", "admitted", "RATE_LIMITED 10"]);
  for (let count = 0; count < 100; count += 1) keys.admit(OTHER, "infer");
  now += 4000;
  assert.equal(ask(), "RATE_LIMITED 6", "a refused request takes nothing");
  keys.replace(keysOf(text));
  now += 6000;
  assert.deepEqual([ask(), ask()], ["admitted", "RATE_LIMITED 10"]);
  now += 3_600_000;
  assert.deepEqual([ask(), ask(), ask()], ["admitted", "admitted", "RATE_LIMITED 10"]);
  keys.replace(keysOf(`ann ${PLAIN} rate=60/m burst=1`));
  assert.deepEqual([ask(), ask()], ["admitted", "RATE_LIMITED 1"]);
});

test("keys come from a file and the environment, and exchanged ones are taken into use unless they cannot be read", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-keys-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "keys");
  assert.equal(await readKeys({ SLIPWAY_API_KEYS: " " }), undefined);
  await assert.rejects(readKeys({ SLIPWAY_API_KEYS_FILE: file }), /read the API keys of/);
  await writeFile(file, `ann ${PLAIN}`);
  const env = {
    SLIPWAY_API_KEYS_FILE: file,
    SLIPWAY_API_KEYS: `bob ${OTHER};eve ${OTHER}x`,
    A: "1",
  };
  assert.deepEqual(withoutKeys(env), { SLIPWAY_API_KEYS_FILE: file, A: "1" });
  assert.deepEqual(userCodeEnv(env), withoutKeys(env));
  assert.deepEqual(userCodeEnv({ SLIPWAY_API_KEYS: `ann ${PLAIN}`, A: "1" }), { A: "1" });
  assert.equal(userCodeEnv({ SLIPWAY_API_KEYS: " ", A: "1" }), undefined, "that of the server");
  const source = await readKeys(env);
  assert.ok(source !== undefined);
  assert.deepEqual(
    source.first.map(({ name }) => name),
    ["ann", "bob", "eve"],
  );
  const taken: string[][] = [];
  const lines: string[] = [];
  const log = createLogger({ write: (line) => lines.push(line) });
  using follower = followKeys(
    source,
    { replaceKeys: (keys) => taken.push(keys.map(({ name }) => name)) },
    log,
  );
  await follower.look();
  assert.deepEqual(taken, []);
  await writeFile(file, "ann short");
  await follower.look();
  await follower.look();
  assert.equal(lines.length, 1, "a fault is told once");
  assert.match(lines[0] ?? "", /those before go on.*line 1/);
  await writeFile(file, `dan ${PLAIN}`);
  await follower.look();
  assert.deepEqual(taken, [["dan", "bob", "eve"]]);
  assert.ok(!lines.join("").includes(PLAIN));
});
