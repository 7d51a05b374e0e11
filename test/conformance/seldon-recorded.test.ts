import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pythonEnv } from "../support/python-env.ts";
import { SELDON_GROUPS, type SeldonGroup } from "../support/seldon/cases.ts";
import { assertAnswer, type Expected } from "../support/seldon/compare.ts";
import { readRecorded } from "../support/seldon/recorded.ts";
import { CLASS_PACKAGES, startOurs } from "../support/seldon/servers.ts";
import { send, type WireAnswer } from "../support/seldon/wire.ts";

// What the Seldon wrapper 1.17.1 answered to every request of the table; seldon-wrapper.test.ts records it.
const recorded = readRecorded();

test("the recording has every request of the table, and no other", () => {
  const wanted = SELDON_GROUPS.map(({ id, requests, failsToStart }) => [
    id,
    failsToStart === "both" ? null : Object.keys(requests).sort(),
  ]);
  assert.deepEqual(
    Object.entries(recorded).map(([id, answers]) => [
      id,
      answers === null ? null : Object.keys(answers).sort(),
    ]),
    wanted,
  );
  assert.ok(SELDON_GROUPS.flatMap(({ requests }) => Object.keys(requests)).length > 400);
});

for (const mode of ["strict", "default"] as const) {
  describe(`the Seldon contract, ${mode} mode`, { concurrency: 2 }, () => {
    for (const group of SELDON_GROUPS) {
      const fails =
        group.failsToStart === "both" || (group.failsToStart === "ours" && mode === "default");
      test(fails ? `does not start: ${group.id}` : group.id, async (t) => {
        const environment = await pythonEnv(t, { packages: CLASS_PACKAGES });
        if (environment === undefined) return;
        const env = {
          ...group.server.env,
          ...(mode === "strict" && { SELDON_STRICT_COMPAT: "1" }),
        };
        const starting = startOurs({ ...group.server, env }, environment.python);
        if (fails) {
          await assert.rejects(starting);
          return;
        }
        await using server = await starting;
        for (const [id, request] of Object.entries(group.requests)) {
          assertAnswer(
            id,
            await send(server[request.port ?? "http"], request),
            expectedOf(group, id, mode),
          );
        }
      });
    }
  });
}

function expectedOf(group: SeldonGroup, id: string, mode: "strict" | "default"): Expected {
  const deviation = group.different?.[id] ?? (mode === "default" ? group.better?.[id] : undefined);
  if (deviation !== undefined) return { kind: "deviation", ...deviation };
  const answer: WireAnswer | undefined = recorded[group.id]?.[id];
  assert.ok(answer !== undefined, `nothing is recorded for "${id}" of "${group.id}"`);
  return {
    kind: "same",
    answer: mode === "strict" ? answer : { ...answer, body: withoutMethod(answer.body) },
  };
}

/** The wrapper writes its label `method` into the tags of the metrics that user code returned. */
function withoutMethod(body: string): string {
  return body.replaceAll(
    /("tags":\s*\{[^{}]*?)(?:,\s*"method":\s*"\w+"|"method":\s*"\w+",\s*)/g,
    "$1",
  );
}
