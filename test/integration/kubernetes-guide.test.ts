import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { guideCommands } from "../cluster/guide.ts";

const GUIDES = resolve(import.meta.dirname, "../../docs/guide");

test("both languages of the guide to Kubernetes show the same ten commands", async () => {
  const english = await guideCommands(join(GUIDES, "kubernetes.md"));
  assert.equal(english.length, 10);
  assert.deepEqual(await guideCommands(join(GUIDES, "kubernetes.zh-CN.md")), english);
});
