import assert from "node:assert/strict";
import { test } from "node:test";
import { intervalOf, readSnapshot } from "./read-metrics.ts";

function page(fast: number, slow: number, failed: number): string {
  const series = (
    name: string,
    service: string,
    code: string,
    rest: string,
    value: number,
  ): string =>
    `seldon_api_executor_server_requests_seconds${name}{code="${code}",model_name="m",service="${service}"${rest}} ${value}.0`;
  return [
    "# HELP something",
    series("_bucket", "v2-infer", "200", ',le="0.01"', fast),
    series("_bucket", "v2-infer", "200", ',le="0.1"', fast + slow),
    series("_bucket", "v2-infer", "200", ',le="+Inf"', fast + slow),
    series("_count", "v2-infer", "200", "", fast + slow),
    series("_count", "v2-infer", "500", "", failed),
    series("_count", "v2-metadata", "200", "", 1000),
    'slipway_workers{model_name="m"} 2.0',
    'slipway_workers{model_name="other"} 7.0',
    'slipway_batch_rows_sum{model_name="m"} 12.0',
    'slipway_batch_rows_count{model_name="m"} 3.0',
    "",
  ].join("\n");
}

test("rates and percentiles are those of the time between two looks", () => {
  const before = readSnapshot(page(100, 0, 0), "m", 0);
  const after = readSnapshot(page(190, 10, 4), "m", 2000);
  assert.equal(after.workers, 2);
  const interval = intervalOf(before, after);
  assert.ok(interval !== undefined);
  assert.deepEqual([interval.requestsPerSecond, interval.failuresPerSecond], [52, 2]);
  assert.ok((interval.p50 ?? 0) < 10 && (interval.p95 ?? 0) > 10 && (interval.p99 ?? 0) > 50);
  assert.equal(interval.rowsPerBatch, undefined, "no batch was made meanwhile");
});

test("nothing is said of a time without requests, or across a new start", () => {
  const one = readSnapshot(page(5, 0, 0), "m", 0);
  assert.equal(intervalOf(one, { ...one, at: 1000 })?.p50, undefined);
  assert.equal(intervalOf(one, readSnapshot(page(1, 0, 0), "m", 1000)), undefined);
});
