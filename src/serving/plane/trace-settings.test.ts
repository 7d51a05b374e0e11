import assert from "node:assert/strict";
import { test } from "node:test";
import { TraceSettings } from "./trace-settings.ts";
import { Tracer, type EndedSpan } from "./tracer.ts";

const ALWAYS = (ratio: number): boolean => ratio > 0;

test("a rule of a model counts for it alone, and null gives back what was before", () => {
  const settings = new TraceSettings({ isOn: false, ratio: 1, count: -1 });
  assert.equal(settings.isAnyOn, false);
  assert.equal(settings.drawFor("m", ALWAYS), undefined);
  settings.change("m", { isOn: true, ratio: 0.5 });
  assert.ok(settings.isAnyOn);
  assert.deepEqual(settings.ruleOf("m"), { isOn: true, ratio: 0.5, count: -1 });
  assert.deepEqual([settings.draw(ALWAYS), settings.drawFor("m", ALWAYS)], [false, true]);
  settings.change(undefined, { isOn: true, ratio: 0.25 });
  settings.change("m", { isOn: null });
  assert.deepEqual(settings.ruleOf("m"), { isOn: true, ratio: 0.5, count: -1 });
  settings.change("m", { ratio: null });
  settings.change(undefined, { ratio: null, isOn: null });
  assert.deepEqual(settings.ruleOf("m"), { isOn: false, ratio: 1, count: -1 });
  assert.equal(settings.isAnyOn, false);
});

test("a count ends a server's traces, or a model's, and no more are drawn", () => {
  const settings = new TraceSettings({ isOn: true, ratio: 1, count: -1 });
  settings.change(undefined, { count: 2 });
  settings.change("m", { count: 1 });
  const draws = (): readonly boolean[] => [1, 2, 3].map(() => settings.draw(ALWAYS));
  assert.deepEqual(draws(), [true, true, false]);
  assert.deepEqual([settings.drawFor("m", ALWAYS), settings.drawFor("m", ALWAYS)], [true, false]);
  assert.equal(settings.ruleOf().count, 0);
});

test("a tracer follows its settings from one request to the next", () => {
  const spans: EndedSpan[] = [];
  const settings = new TraceSettings({ isOn: false, ratio: 1, count: -1 });
  const tracer = new Tracer({ settings, followsCaller: true, onEnd: (span) => spans.push(span) });
  assert.equal(tracer.begin(undefined), undefined, "off costs no ids");
  settings.change("m", { isOn: true });
  const end = (model: string): void => {
    const context = tracer.begin(undefined);
    assert.ok(context !== undefined);
    const child = tracer.child(context, model);
    const about = { name: model, kind: "internal", startedAt: 0, attributes: {} } as const;
    tracer.end(child, about);
    tracer.end(context, about);
  };
  end("other");
  assert.equal(spans.length, 0);
  end("m");
  assert.deepEqual(
    spans.map(({ name }) => name),
    ["m", "m"],
    "the span of the request goes with that of its model",
  );
  settings.change(undefined, { isOn: true });
  settings.change("m", { isOn: false });
  end("m");
  assert.equal(spans.length, 2);
  end("other");
  assert.equal(spans.length, 4);
});
