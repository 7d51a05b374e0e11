import assert from "node:assert/strict";
import { test } from "node:test";
import { startEntry, type Served } from "./serve-support.ts";

/** Doubles rows, says how many came, and refuses a row that begins with a negative number. */
const SOURCE = `
import threading, time
class Model:
    def predict(self, X, names):
        print("rows %d" % len(X), flush=True)
        if (X[:, 0] < 0).any():
            raise ValueError("negative")
        if X[0, 0] == 99:
            time.sleep(0.05)
        return X * 2
`;

async function rowsOf(response: Response): Promise<unknown> {
  return ((await response.json()) as { data: { ndarray: unknown } }).data.ndarray;
}

/** Keeps the worker busy, so that what is sent meanwhile lies ready together. */
async function behindSlow<T>(served: Served, send: () => Promise<T>): Promise<T> {
  const slow = served.predict([[99, 0]]);
  await served.line(({ msg }) => msg === "rows 1");
  const answer = await send();
  assert.equal((await slow).status, 200);
  return answer;
}

test("rows of requests that lie ready together go into one call, and each gets its own back", async (t) => {
  await using served = await startEntry(t, { source: SOURCE, env: { SLIPWAY_MAX_BATCH: "64" } });
  if (served === undefined) return;
  const answers = await behindSlow(served, () =>
    Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        served
          .predict(Array.from({ length: 1 + (index % 3) }, (_row, row) => [index, row]))
          .then(rowsOf),
      ),
    ),
  );
  answers.forEach((rows, index) =>
    assert.deepEqual(
      rows,
      Array.from({ length: 1 + (index % 3) }, (_, row) => [2 * index, 2 * row]),
    ),
  );
  const calls = served.log.filter(({ msg }) => msg.startsWith("rows "));
  assert.ok(calls.length < 12, `${calls.length} calls for 21 requests`);
  const page = await (await fetch(`${served.url}/metrics`)).text();
  assert.ok(Number(/^slipway_batch_rows_sum\{.*\} (\S+)$/m.exec(page)?.[1]) >= 20, page);
});

test("in a joined call that fails only the request that is wrong gets the error", async (t) => {
  await using served = await startEntry(t, { source: SOURCE, env: { SLIPWAY_MAX_BATCH: "64" } });
  if (served === undefined) return;
  const answers = await behindSlow(served, () =>
    Promise.all(
      Array.from({ length: 8 }, (_, index) => served.predict([[index === 3 ? -1 : index, 1]])),
    ),
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 500, 200, 200, 200, 200],
  );
  assert.deepEqual(await rowsOf(answers[5]!), [[10, 2]]);
  assert.match(await answers[3]!.text(), /negative/);
});

test("with a longest wait, requests that come one after the other are joined too, as soon as there are enough", async (t) => {
  await using served = await startEntry(t, {
    source: SOURCE,
    env: { SLIPWAY_MAX_BATCH: "4", SLIPWAY_MAX_WAIT_MS: "60000" },
  });
  if (served === undefined) return;
  const early = [served.predict([[1, 0]]), served.predict([[2, 0]])];
  await fetch(`${served.url}/ready`);
  const late = [served.predict([[3, 0]]), served.predict([[4, 0]])];
  const answers = await Promise.all([...early, ...late].map((one) => one.then(rowsOf)));
  assert.deepEqual(answers, [[[2, 0]], [[4, 0]], [[6, 0]], [[8, 0]]]);
  assert.deepEqual(
    served.log.filter(({ msg }) => msg.startsWith("rows ")).map(({ msg }) => msg),
    ["rows 4"],
  );
});

test("a lone request waits no longer than it is told, and health is asked at once", async (t) => {
  await using served = await startEntry(t, {
    source: SOURCE,
    env: { SLIPWAY_MAX_BATCH: "4", SLIPWAY_MAX_WAIT_MS: "20" },
  });
  if (served === undefined) return;
  assert.deepEqual(await rowsOf(await served.predict([[5, 1]])), [[10, 2]]);
  await using patient = await startEntry(t, {
    source: SOURCE,
    env: { SLIPWAY_MAX_BATCH: "4", SLIPWAY_MAX_WAIT_MS: "60000" },
  });
  if (patient === undefined) return;
  const waiting = patient.predict([[1, 0]]);
  while (
    !/^slipway_running_requests\{.*\} 1\.0$/m.test(
      await (await fetch(`${patient.url}/metrics`)).text(),
    )
  ); // until it waits inside
  assert.equal((await fetch(`${patient.url}/health/status`)).status, 200); // and it ends the wait of those before it
  assert.deepEqual(await rowsOf(await waiting), [[2, 0]]);
});

test("a full queue is told to come back", async (t) => {
  await using served = await startEntry(t, { source: SOURCE, env: { SLIPWAY_MAX_QUEUE: "0" } });
  if (served === undefined) return;
  const answers = await behindSlow(served, () =>
    Promise.all(Array.from({ length: 40 }, () => served.predict([[1, 1]]))),
  );
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(
    refused.length > 0 && answers.every(({ status }) => status === 200 || status === 429),
    answers.map(({ status }) => status).join(),
  );
  assert.equal(refused[0]?.headers.get("retry-after"), "1");
});
