import assert from "node:assert/strict";
import { test } from "node:test";
import { giveMemoryBack, looked, type MemoryView } from "./give-memory-back.ts";

const MIB = 2 ** 20;

/** A process whose numbers are set by hand. */
function fakeProcess(): MemoryView & { cpu: number; bytes: number; shrunk: number } {
  return {
    ...{ cpu: 0, bytes: 80 * MIB, shrunk: 0 },
    cpuMs() {
      return this.cpu;
    },
    residentBytes() {
      return this.bytes;
    },
    shrink() {
      this.shrunk += 1;
      this.bytes = 90 * MIB;
    },
  };
}

test("a process that was at work gives its memory back once it is quiet, and once only", () => {
  const process = fakeProcess();
  let state = { cpuMs: 0, restingBytes: 80 * MIB };
  Object.assign(process, { cpu: 4000, bytes: 400 * MIB });
  state = looked(process, state);
  assert.equal(process.shrunk, 0, "it is at work");
  process.cpu += 10;
  state = looked(process, state);
  assert.equal(process.shrunk, 1);
  process.cpu += 10;
  looked(process, state);
  assert.equal(process.shrunk, 1);
});

test("a process that has not grown is left alone", () => {
  const process = fakeProcess();
  process.bytes = 100 * MIB;
  looked(process, { cpuMs: 0, restingBytes: 80 * MIB });
  assert.equal(process.shrunk, 0);
});

test("V8 gives back what nobody needs any more", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const view = { cpu: 0 };
  let kept: object[] = [];
  const before = process.memoryUsage.rss();
  const watch = giveMemoryBack();
  t.after(() => watch[Symbol.dispose]());
  t.mock.method(process, "cpuUsage", () => ({ user: view.cpu, system: 0 }));
  for (let round = 0; round < 40; round += 1)
    kept = Array.from({ length: 100_000 }, (_, index) => ({ index, list: [index] }));
  const most = process.memoryUsage.rss();
  assert.ok(kept.length > 0 && most > before + 50 * MIB, `${before} ${most}`);
  kept = [];
  t.mock.timers.tick(5000);
  const now = process.memoryUsage.rss();
  assert.ok(now - before < (most - before) / 2, `${before} ${most} ${now}`);
});
