import assert from "node:assert/strict";
import { test } from "node:test";
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
