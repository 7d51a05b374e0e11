import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { writeWheel, zip, type ZipEntry } from "../../../test/support/wheels.ts";
import { isToolError } from "../../ground/errors/index.ts";
import { createTempDir } from "../../ground/process/index.ts";
import { inspectWheel } from "./wheel-zip.ts";

async function folder(t: TestContext): Promise<string> {
  const made = await createTempDir("slipway-test");
  t.after(() => made[Symbol.asyncDispose]());
  return made.path;
}

test("an honest wheel passes", async (t) => {
  await inspectWheel(await writeWheel(await folder(t), { name: "honest" }));
});

const hostile: readonly (readonly [string, readonly ZipEntry[], RegExp])[] = [
  ["a file above the folder", [{ name: "../../evil.py", content: "" }], /evil\.py/],
  ["a file above, from inside", [{ name: "pkg/../../evil.py", content: "" }], /evil\.py/],
  ["an absolute file", [{ name: "/etc/evil", content: "" }], /evil/],
  ["a Windows path", [{ name: "pkg\\evil", content: "" }], /evil/],
  ["a drive", [{ name: "C:/evil", content: "" }], /evil/],
  [
    "a link",
    [{ name: "pkg/link", content: "/etc/passwd", mode: 0o120777 }],
    /"pkg\/link" is neither a file nor a folder/,
  ],
  ["a device", [{ name: "pkg/dev", content: "", mode: 0o020666 }], /neither/],
  ["two files of one name", [{ name: "hostile.py", content: "" }], /"hostile\.py" is in it twice/],
];
for (const [name, extra, why] of hostile) {
  test(`a wheel with ${name} is refused by name`, async (t) => {
    const path = await writeWheel(await folder(t), { name: "hostile", extra });
    await assert.rejects(inspectWheel(path), { code: "FILE_REFUSED", message: why });
  });
}

test("a bomb is refused by what it claims, before anything is unpacked", async (t) => {
  const path = join(await folder(t), "bomb-1.0-py3-none-any.whl");
  const bytes = zip([{ name: "bomb.py", content: "x".repeat(1000) }]);
  const directory = bytes.indexOf("PK\x01\x02", 0, "latin1");
  bytes.writeUInt16LE(8, directory + 10);
  bytes.writeUInt32LE(2 ** 31, directory + 24);
  await writeFile(path, bytes);
  await assert.rejects(inspectWheel(path), { code: "LIMIT_EXCEEDED" });
});

test("what is no zip file is refused", async (t) => {
  const path = join(await folder(t), "x.whl");
  await writeFile(path, "not a zip file at all, but long enough to look for one");
  await assert.rejects(inspectWheel(path), { code: "ARCHIVE_INVALID" });
});

test("whatever the bytes are, only our own errors come out", async (t) => {
  const at = await folder(t);
  const honest = zip([
    { name: "a/b.py", content: "pass\n" },
    { name: "c.py", content: "" },
  ]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(honest.byteLength - 1), fc.nat(255)), {
        minLength: 1,
        maxLength: 8,
      }),
      async (changes) => {
        const bytes = Buffer.from(honest);
        for (const [place, value] of changes) bytes[place] = value;
        await writeFile(join(at, "f.whl"), bytes);
        await inspectWheel(join(at, "f.whl")).catch((error: unknown) =>
          assert.ok(isToolError(error), String(error)),
        );
      },
    ),
    { numRuns: 150 },
  );
});
