import assert from "node:assert/strict";
import { test } from "node:test";
import { InferenceError, isToolError } from "../../ground/errors/index.ts";
import { chooseVersion } from "./version-rules.ts";
import { ModelRepository, type ModelEntry, type Predictor } from "./index.ts";

/** A predictor that knows how many calls are inside, and whether it has ended. */
class Counted implements Predictor {
  readonly stats = { queued: 0, running: 0, workers: 1, ready: 1, restarts: 0 };
  isEnded = false;
  #idle: (() => void) | undefined;

  describe(): ReturnType<Predictor["describe"]> {
    return {
      ...{ platform: "test", takesTensors: true, takesRawBody: false, streams: false },
      ...{ joinsRows: false, wantsHeaders: false },
    };
  }

  infer(): Promise<never> {
    throw new Error("nobody calls it");
  }

  begin(): void {
    this.stats.running += 1;
  }

  end(): void {
    this.stats.running -= 1;
    this.#idle?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.stats.running > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.isEnded = true;
  }
}

/** Lazy models of one byte each, by name; each load gives a new predictor. */
function lazyModels(names: readonly string[], limit?: number) {
  const made = new Map<string, Counted[]>(names.map((name) => [name, []]));
  const models = new ModelRepository({ memoryBytes: limit });
  for (const name of names)
    models.add({
      ...{ name, version: "1", isLazy: true, memoryBytes: async () => 1 },
      load: async () => {
        const predictor = new Counted();
        made.get(name)?.push(predictor);
        return predictor;
      },
    });
  const call = async (name: string): Promise<Counted> => {
    const model = models.model(name);
    await model.wake();
    model.statistics.lastCallAt = (clock += 1) + 2 ** 45; // later than any load
    const predictor = made.get(name)?.at(-1);
    assert.ok(predictor !== undefined && model.predictor === predictor);
    return predictor;
  };
  return { models, made, call };
}
let clock = 0;

const isCode =
  (code: string) =>
  (error: unknown): boolean =>
    isToolError(error) && error.code === code;

test("a lazy model is ready before it is loaded, and loads once for calls that come together", async () => {
  const { models, made, call } = lazyModels(["a", "b"]);
  const model = models.model("a");
  assert.deepEqual([model.state, model.isReady, model.isAsleep], ["standby", true, true]);
  assert.equal(models.isReady, true);
  await Promise.all([call("a"), call("a"), model.wake()]);
  assert.equal(made.get("a")?.length, 1);
  assert.deepEqual([model.state, model.isLoaded, made.get("b")?.length], ["ready", true, 0]);
});

test("the model that was not called for longest makes room, and is loaded again when it is called", async () => {
  const { models, made, call } = lazyModels(["a", "b", "c"], 2);
  for (const name of ["a", "b", "a", "c"]) await call(name);
  const loaded = (): readonly string[] =>
    models.models.filter(({ isLoaded }) => isLoaded).map(({ name }) => name);
  assert.deepEqual([loaded(), models.memory], [["a", "c"], { taken: 2, limit: 2 }]);
  assert.equal(made.get("b")?.[0]?.isEnded, true);
  await call("b");
  assert.deepEqual([loaded(), made.get("b")?.length], [["b", "c"], 2]);
});

test("a model with calls inside keeps its memory until they are done", async () => {
  const { models, call } = lazyModels(["a", "b"], 1);
  const a = await call("a");
  a.begin();
  const loading = call("b");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([models.model("b").isLoaded, a.isEnded], [false, false]);
  a.end();
  await loading;
  assert.deepEqual([models.memory.taken, a.isEnded, models.model("a").state], [1, true, "standby"]);
});

test("many first calls at once never take more than the budget, and all are answered", async () => {
  const names = Array.from({ length: 20 }, (_, at) => `m${at}`);
  const { models, call, made } = lazyModels(names, 3);
  let most = 0;
  await Promise.all(
    names.map(async (name) => {
      (await call(name)).begin();
      most = Math.max(most, models.memory.taken);
      await new Promise((resolve) => setImmediate(resolve));
      made.get(name)?.at(-1)?.end();
    }),
  );
  assert.ok(most <= 3, `${most} were loaded`);
});

test("a model that is larger than the whole budget is refused, and so is one for which nothing can go", async () => {
  const models = new ModelRepository({ memoryBytes: 10 });
  const entry = (name: string, bytes: number, isLazy: boolean): ModelEntry => ({
    ...{ name, version: "1", isLazy, memoryBytes: async () => bytes },
    load: async () => new Counted(),
  });
  models.add(entry("huge", 11, true));
  models.add(entry("stays", 8, false));
  models.add(entry("more", 3, true));
  await assert.rejects(models.load("huge"), isCode("MODEL_LOAD_FAILED"));
  await models.load("stays");
  await assert.rejects(models.load("more"), isCode("OVERLOADED"));
  assert.equal(models.memory.taken, 8);
  await models.unload("stays");
  await models.load("more");
  assert.equal(models.memory.taken, 3);
});

test("a model that does not load gives its memory back and does not make the server unready", async () => {
  const models = new ModelRepository({ memoryBytes: 1 });
  const broken = (isLazy: boolean, version: string): void =>
    void models.add({
      ...{ name: "broken", version, isLazy, memoryBytes: async () => 1 },
      load: async () => {
        throw new InferenceError("MODEL_LOAD_FAILED", "no such file");
      },
    });
  broken(true, "1");
  broken(false, "2");
  models.add({ name: "good", version: "1", load: async () => new Counted() });
  await models.load("good");
  await assert.rejects(models.model("broken", "1").wake(), isCode("MODEL_LOAD_FAILED"));
  await assert.rejects(models.load("broken", "2"));
  assert.deepEqual([models.isReady, models.memory.taken], [true, 0]);
  const { state, isAsleep, reason } = models.model("broken", "1");
  assert.deepEqual([state, isAsleep, reason], ["failed", false, "no such file"]); // tried again later
  assert.throws(() => models.model("broken", "1").predictor, isCode("MODEL_NOT_READY"));
});

/** Versions 1, 2 and 10 of one model, all loaded. */
async function threeVersions(random: () => number): Promise<ModelRepository> {
  const models = new ModelRepository({ random });
  for (const version of ["10", "1", "2"])
    models.add({ name: "m", version, load: async () => new Counted() });
  for (const version of ["10", "1", "2"]) await models.load("m", version);
  return models;
}

test("calls without a version are shared as the rules say; everything else goes to the greatest share", async () => {
  let random = 0;
  const models = await threeVersions(() => random);
  const called = (at: number): string => {
    random = at;
    return models.modelForCall("m").version;
  };
  assert.deepEqual([called(0), called(0.99), models.model("m").version], ["10", "10", "10"]);
  models.setRules("m", { weights: { 1: 90, 2: 10 } });
  assert.deepEqual([0, 0.89, 0.91, 0.999].map(called), ["1", "1", "2", "2"]);
  assert.equal(models.model("m").version, "1");
  assert.equal(models.modelForCall("m", "10").version, "10");
  await models.unload("m", "1");
  assert.equal(called(0), "2"); // whoever is left gets it all
});

test("a label stands for a version, wherever a version may stand", async () => {
  const models = await threeVersions(() => 0);
  models.setRules("m", { labels: { stable: "2" } });
  assert.equal(models.labelled("m", "stable").version, "2");
  assert.equal(models.model("m", "stable").version, "2");
  assert.throws(() => models.labelled("m", "toString"), isCode("MODEL_NOT_FOUND"));
  assert.throws(() => models.model("m", "constructor"), isCode("MODEL_NOT_FOUND"));
});

test("a model that is taken out is not found, and its calls are waited for", async () => {
  const models = await threeVersions(() => 0);
  await models.remove("m", "2");
  assert.throws(() => models.model("m", "2"), isCode("MODEL_NOT_FOUND"));
  assert.deepEqual(
    models.versions("m").map(({ version }) => version),
    ["1", "10"],
  );
  await models.remove("no", "1");
});

test("shares: versions that cannot be called get none, and rounding never leaves a call without one", () => {
  const all = (): boolean => true;
  assert.equal(chooseVersion({ 1: 1, 2: 3 }, all, 0.25), "2");
  assert.equal(chooseVersion({ 1: 1, 2: 0 }, all, 0.9999999), "1");
  assert.equal(chooseVersion({ 1: 0.1, 2: 0.2 }, all, 1 - 2 ** -53), "2");
  assert.equal(
    chooseVersion({ 1: 1 }, () => false, 0),
    undefined,
  );
});
