import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { pythonEnv } from "../support/python-env.ts";
import { SELDON_GROUPS, type SeldonGroup } from "../support/seldon/cases.ts";
import { assertAnswer, normalize } from "../support/seldon/compare.ts";
import { readRecorded, writeRecorded, type Recorded } from "../support/seldon/recorded.ts";
import {
  CLASS_PACKAGES,
  startOurs,
  startWrapper,
  WRAPPER_PACKAGES,
} from "../support/seldon/servers.ts";
import { get, send, type WireAnswer } from "../support/seldon/wire.ts";

// The wrapper itself beside our server, asked the same things. SLIPWAY_UPDATE_GOLDEN=1 writes down what the wrapper answers.
const isUpdate = process.env["SLIPWAY_UPDATE_GOLDEN"] === "1";
const found = new Map<string, Record<string, WireAnswer> | null>();
const recorded: Recorded = isUpdate ? {} : readRecorded();

describe(
  "seldon-core 1.17.1 and our server in strict mode, side by side",
  { concurrency: 2 },
  () => {
    for (const group of SELDON_GROUPS) {
      test(group.failsToStart === "both" ? `neither starts: ${group.id}` : group.id, async (t) => {
        const [wrapper, classes] = [
          await pythonEnv(t, { packages: WRAPPER_PACKAGES }),
          await pythonEnv(t, { packages: CLASS_PACKAGES }),
        ];
        if (wrapper === undefined || classes === undefined) return;
        if (group.failsToStart === "both") await neitherStarts(group, wrapper.bin, classes.python);
        else await answerAlike(group, wrapper.bin, classes.python);
      });
    }
  },
);

after(() => {
  if (isUpdate)
    writeRecorded(Object.fromEntries(SELDON_GROUPS.map(({ id }) => [id, found.get(id) ?? null])));
});

async function answerAlike(group: SeldonGroup, bin: string, python: string): Promise<void> {
  const env = { ...group.server.env, SELDON_STRICT_COMPAT: "1" };
  await using wrapper = await startWrapper(group.server, bin);
  await using ours = await startOurs({ ...group.server, env }, python);
  const answers: Record<string, WireAnswer> = {};
  for (const [id, request] of Object.entries(group.requests)) {
    const port = request.port ?? "http";
    const answer = normalize(await send(wrapper[port], request));
    answers[id] = answer;
    if (!isUpdate)
      assert.deepEqual(answer, recorded[group.id]?.[id], `the wrapper answers "${id}" as recorded`);
    const deviation = group.different?.[id];
    assertAnswer(
      id,
      await send(ours[port], request),
      deviation === undefined ? { kind: "same", answer } : { kind: "deviation", ...deviation },
    );
  }
  found.set(group.id, answers);
}

async function neitherStarts(group: SeldonGroup, bin: string, python: string): Promise<void> {
  await assert.rejects(startOurs(group.server, python));
  await assert.rejects(async () => {
    // A class whose load() fails ends the wrapper after it has begun to listen.
    await using wrapper = await startWrapper(group.server, bin);
    await send(wrapper.http, get("/health/ping"));
  });
}
