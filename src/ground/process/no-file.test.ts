import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { noFile } from "./index.ts";

test("a file that is not there is undefined, also below a file", async () => {
  assert.equal(await readFile("/nowhere/at/all").catch(noFile), undefined);
  assert.equal(await readFile(`${import.meta.filename}/x`).catch(noFile), undefined);
});

test("a file that must not be read is named, and other failures are thrown as they are", async () => {
  const denied = Object.assign(new Error("EACCES"), { code: "EACCES", path: "/a/b" });
  assert.throws(() => noFile(denied), { code: "FILE_REFUSED", message: /"\/a\/b"/ });
  await assert.rejects(readFile(import.meta.dirname).catch(noFile), { code: "EISDIR" });
  assert.throws(
    () => noFile("odd"),
    (error) => error === "odd",
  );
});
