import assert from "node:assert/strict";
import type { WireAnswer } from "./wire.ts";

/** An answer without what differs from run to run and from machine to machine. */
export function normalize({ status, type, body }: WireAnswer): WireAnswer {
  const isPage = type.startsWith("text/plain");
  // The wrapper says the charset twice.
  return {
    status,
    type: type.replace("; charset=utf-8; charset=utf-8", "; charset=utf-8"),
    body: isPage ? pageOf(body) : body,
  };
}

/** Series in a fixed order, of user code only, and without the process that counted them. */
function pageOf(body: string): string {
  const isOurOwn = /^(# (HELP|TYPE) )?(slipway_|process_|nodejs_|seldon_api_executor_)/;
  const series = body
    .split("\n")
    .filter(
      (line) =>
        line !== "" && !line.startsWith("# HELP") && !isOurOwn.test(line) && !isDullBucket(line),
    );
  return [
    ...new Set(
      series.map((line) => labelsInOrder(line.replace(/worker_id="\d+"/, 'worker_id="N"'))),
    ),
  ]
    .sort()
    .join("\n");
}

/** Empty ones, and those far beyond what the cases take: they would make up nine tenths of the recording. */
function isDullBucket(line: string): boolean {
  const bound = /\ble="([\d.]+)"/.exec(line)?.[1];
  return bound !== undefined && (line.endsWith(" 0.0") || Number(bound) > 0.1);
}

function labelsInOrder(line: string): string {
  const bound = /le="([\d.]+)"/.exec(line)?.[1];
  const rounded =
    bound === undefined
      ? line
      : line.replace(`le="${bound}"`, `le="${Number(bound).toPrecision(12)}"`); // numpy's releases differ in the last digit
  return rounded.replace(
    /\{(.*)\}/,
    (_, labels: string) => `{${(labels.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? []).sort().join(",")}}`,
  );
}

/** What is right of an answer: the wrapper's own, or a deviation from it. */
export type Expected =
  | { readonly kind: "same"; readonly answer: WireAnswer }
  | { readonly kind: "deviation"; readonly status: number; readonly body: string };

export function assertAnswer(id: string, actual: WireAnswer, expected: Expected): void {
  const found = normalize(actual);
  if (expected.kind === "same") {
    assert.deepEqual(found, expected.answer, id);
    return;
  }
  assert.equal(found.status, expected.status, `${id}: ${found.body}`);
  assert.ok(
    found.body.includes(expected.body),
    `${id}: "${expected.body}" is not in ${found.body}`,
  );
}
