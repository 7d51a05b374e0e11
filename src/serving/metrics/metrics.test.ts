import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricRegistry } from "./metric-registry.ts";

test("the page has a head for each name, series in order, labels sorted and escaped", () => {
  const registry = new MetricRegistry();
  registry.counter("calls_total", "Calls", { b: 'a"b\\c\nd', a: "1" }).value += 2;
  registry.counter("calls_total", "Calls", { a: "1", b: 'a"b\\c\nd' }).value += 1; // the same series
  registry.gauge("depth", "").value = -Infinity;
  assert.equal(
    registry.text(),
    '# HELP calls_total Calls\n# TYPE calls_total counter\ncalls_total{a="1",b="a\\"b\\\\c\\nd"} 3.0\n# HELP depth \n# TYPE depth gauge\ndepth -Inf\n',
  );
});

test("buckets are cumulative, their ends inclusive", () => {
  const registry = new MetricRegistry();
  const histogram = registry.histogram(
    { name: "seconds", help: "", bounds: [0.1, 1] },
    { method: "x" },
  );
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value);
  const lines = registry.text().trimEnd().split("\n").slice(2);
  assert.deepEqual(lines, [
    'seconds_bucket{method="x",le="0.1"} 2.0',
    'seconds_bucket{method="x",le="1.0"} 3.0',
    'seconds_bucket{method="x",le="+Inf"} 4.0',
    'seconds_count{method="x"} 4.0',
    'seconds_sum{method="x"} 7.65',
  ]);
});

test("a name of another type and a name that is none are not allowed; labels that are none are mended", () => {
  const registry = new MetricRegistry();
  registry.gauge("taken", "", { "0-odd": "x" });
  assert.deepEqual(
    [
      registry.allows("taken", "gauge"),
      registry.allows("taken", "counter"),
      registry.allows("9", "gauge"),
      registry.allows("a b", "gauge"),
    ],
    [true, false, false, false],
  );
  assert.match(registry.text(), /^taken\{_0_odd="x"\} 0\.0$/m);
});

test("beyond the bound new series are kept nowhere, and those that are there go on", () => {
  const registry = new MetricRegistry(2);
  const first = registry.counter("c", "", { id: "1" });
  for (let id = 1; id <= 100; id += 1) registry.counter("c", "", { id: String(id) }).value += 1;
  assert.equal(first.value, 1);
  assert.equal(
    registry
      .text()
      .split("\n")
      .filter((line) => line.startsWith("c{")).length,
    2,
  );
});

test("what is read off the server is read when the page is asked for", () => {
  const registry = new MetricRegistry();
  const gauge = registry.gauge("now", "");
  let value = 1;
  registry.onCollect(() => (gauge.value = value));
  assert.match(registry.text(), /^now 1\.0$/m);
  value = 2;
  assert.match(registry.text(), /^now 2\.0$/m);
});

test("an empty registry is an empty page", () => assert.equal(new MetricRegistry().text(), ""));
