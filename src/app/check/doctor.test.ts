import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir } from "../../ground/process/index.ts";
import { createSession } from "../session.ts";
import { checkNeed, doctor } from "./doctor.ts";

const session = createSession();
const NONE = "a-program-that-nobody-has";

test("one of the programs that do the same is enough, and what is missing says what it is for", async () => {
  const [there] = [await checkNeed({ programs: [NONE, "tar"], what: "unpacks" }, session)];
  assert.equal(there.status, "ok");
  assert.equal(there.name, `${NONE} or tar`);
  assert.deepEqual(await checkNeed({ programs: [NONE], what: "runs it" }, session), {
    name: NONE,
    status: "warn",
    detail: "not installed",
    hint: "runs it",
  });
  const required = { programs: [NONE], what: "runs it", isRequired: true } as const;
  const { status, code } = await checkNeed(required, session);
  assert.deepEqual({ status, code }, { status: "fail", code: "TOOL_MISSING" });
});

test("a command is asked with those below it, and each need once", async () => {
  const { checks, about } = await doctor({ subject: ["base"] }, session);
  assert.equal(about, "slipway base");
  assert.deepEqual(
    checks.map(({ name }) => name),
    ["node", "apt-get", "dpkg-deb", "mmdebstrap", "store", "cache", "state"],
  );
  const packing = await doctor({ subject: ["packdocker"] }, session);
  assert.equal(packing.checks.filter(({ name }) => name === "uv or python3").length, 1);
});

test("several words that are no command are no image either", async () => {
  await assert.rejects(doctor({ subject: ["train", "nothing"] }, session), { code: "USAGE" });
});

test("a folder says where its packages come from, and what nobody reads", async () => {
  await using folder = await createTempDir("slipway-doctor");
  const ask = async (): Promise<readonly string[]> =>
    (await doctor({ subject: [`${folder.path}/`] }, session)).checks.map(
      ({ status, detail }) => `${status} ${detail}`,
    );
  assert.deepEqual(await ask(), ["ok none is declared"]);
  await writeFile(join(folder.path, "environment.yml"), "");
  assert.deepEqual(await ask(), [
    "warn none is declared",
    "warn environment.yml may name packages and is not read",
  ]);
  const lock = '{"default": {"six": {"version": "==1.17.0"}}}';
  await writeFile(join(folder.path, "Pipfile.lock"), lock);
  assert.deepEqual(await ask(), ["ok 1 of Pipfile.lock"]);
  await writeFile(join(folder.path, "Pipfile.lock"), "{");
  assert.match((await ask()).join(), /^fail read ".*it is not JSON/);
});
