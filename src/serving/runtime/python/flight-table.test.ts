import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FlightTable } from "./flight-table.ts";
import type { Flight } from "./worker-call.ts";

const flight = (id: number): Flight => ({
  call: { kind: "graph", request: { method: "predict", messages: [] } },
  bytes: 0,
  resolve: () => undefined,
  reject: () => undefined,
  caller: {},
  isGone: false,
  lost: 0,
  sentAt: 0,
  id,
});

test("a table of calls keeps what a map would, whatever leaves first", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(200)), { maxLength: 400 });
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 0xffff_fff0), (ops, first) => {
      const table = new FlightTable(4);
      const known = new Map<number, Flight>();
      let next: number = first;
      for (const [isNew, pick] of ops) {
        if (isNew || known.size === 0) {
          const one = flight(next);
          next = next === 0xffff_ffff ? 1 : next + 1;
          table.add(one);
          known.set(one.id, one);
        } else {
          const id = [...known.keys()][pick % known.size] ?? 0;
          assert.equal(table.get(id), known.get(id));
          assert.equal(table.take(id), known.get(id));
          known.delete(id);
          assert.equal(table.take(id), undefined);
          assert.equal(table.has(id), false);
        }
        assert.equal(table.size, known.size);
      }
      assert.deepEqual(table.inOrder(), [...known.values()]);
      table.clear();
      assert.deepEqual([table.size, table.inOrder()], [0, []]);
    }),
  );
});
