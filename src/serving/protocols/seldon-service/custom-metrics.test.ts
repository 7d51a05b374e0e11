import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricRegistry } from "../../metrics/index.ts";
import { nodeOf } from "../seldon/index.ts";
import { CustomMetrics } from "./custom-metrics.ts";

test("tags of names that Prometheus keeps for itself are left out, and the others stay", () => {
  const registry = new MetricRegistry();
  const tags = { __name__: "x", __meta: "y", fine: "z" };
  const metric = nodeOf({ key: "k", type: "GAUGE", value: 1, tags });
  new CustomMetrics(registry, {}).record([metric], "predict");
  assert.match(registry.text(), /^k\{fine="z",method="predict"\} 1/m);
  assert.doesNotMatch(registry.text(), /__/);
});
