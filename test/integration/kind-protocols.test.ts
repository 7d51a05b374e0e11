import assert from "node:assert/strict";
import { dirname, join, resolve } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { isToolError } from "../../src/ground/errors/index.ts";
import {
  MODEL_KINDS,
  runtimeOf,
  type ModelDescription,
  type ModelKind,
} from "../../src/models/description/index.ts";
import { detectModel } from "../../src/models/kinds/index.ts";
import type { Signature } from "../../src/models/tensor/index.ts";
import {
  matchInputs,
  ModelRepository,
  type NamedTensor,
  type Predictor,
} from "../../src/serving/plane/index.ts";
import { PROTOCOLS } from "../../src/serving/protocols/index.ts";
import { exampleShape } from "../../src/serving/protocols/sample.ts";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";
import { listen } from "../../src/serving/server/listen-http.ts";
import { runningServer } from "../../src/serving/server/running-server.ts";
import { createParts, createPlane } from "../../src/serving/server/server-parts.ts";
import { modelFilesIn, modelFolder } from "../support/kinds/model-folder.ts";
import { KIND_SAMPLES } from "../support/kinds/samples.ts";
import {
  askedModel,
  PROTOCOL_ROWS,
  zeroBytes,
  type AskedModel,
} from "../support/protocol-pairs.ts";
import { pythonEnv } from "../support/python-env.ts";

const FIXTURES = resolve(import.meta.dirname, "../fixtures");
const QUIET = {
  host: "127.0.0.1",
  log: createLogger({ level: "fatal", write: () => undefined }),
};
const RUNNABLE = MODEL_KINDS.filter((kind) => runtimeOf({ kind }) !== "none");
const DESCRIBED = MODEL_KINDS.filter((kind) => runtimeOf({ kind }) === "none");

function description(kind: ModelKind, more: Partial<ModelDescription>): ModelDescription {
  return {
    ...{ schemaVersion: 1, name: `m-${kind}`, kind, contract: "kserve", service: "MODEL" },
    ...{ ports: { http: 0, grpc: 0 }, server: {} },
    ...more,
  };
}

/** Asks a model by every protocol, and holds each answer against what the pair has to give. */
async function walk(
  asked: AskedModel,
  { kind, takes = "tensors" }: { readonly kind: ModelKind; readonly takes?: "tensors" | "bodies" },
): Promise<void> {
  const names = asked.model.outputs.map(({ name }) => name);
  for (const row of PROTOCOL_ROWS) {
    const { status, text, names: found } = await row.ask(asked);
    const about = `${kind} by ${row.id}: ${status} ${text.slice(0, 300)}`;
    if (row.takes !== takes && row.takes !== "either") {
      assert.equal(status, 501, about);
      assert.match(text, row.spoken, about);
      assert.ok(text.includes(`kind ${kind}`), about);
      assert.match(text, takes === "tensors" ? /takes tensors/ : /takes bodies/, about);
      continue;
    }
    assert.equal(status, 200, about);
    if (takes === "bodies") assert.match(text, /\d+ bytes/, about);
    else if (row.namesOutputs === "always" || names.length > 1)
      assert.deepEqual([...found].toSorted(), names.toSorted(), about);
  }
}

test("the rows walk every protocol of the server", () => {
  const ids = PROTOCOL_ROWS.map(({ id }) => id.replace("TensorFlow Serving", "v1"));
  const wanted = PROTOCOLS.flatMap((row) => [
    `${row.name} over REST`,
    ...(row.grpc === undefined ? [] : [`${row.name} over gRPC`]),
  ]);
  assert.deepEqual(ids.toSorted(), wanted.toSorted());
});

describe("every kind that is served, by every protocol, as its files describe it", () => {
  for (const kind of RUNNABLE) test(kind, async (t) => walkDescribed(t, kind));
});

async function walkDescribed(t: TestContext, kind: ModelKind): Promise<void> {
  const files = modelFilesIn(modelFolder(t, KIND_SAMPLES[kind]().files));
  const { signature: said } = await detectModel({ folder: "sample", files });
  const signature = said && {
    inputs: said.inputs,
    // what no file states, the runtime knows when it has loaded the model
    outputs: said.outputs.length > 0 ? said.outputs : [{ ...OUTPUT }],
  };
  const parts = createParts(description(kind, {}), QUIET);
  const models = new ModelRepository();
  const { name } = parts.description;
  const load = async (): Promise<Predictor> => echoing(kind, name, signature);
  const model = models.add({ name, version: "1", load });
  await models.load(name, "1");
  const own = { ...parts, models, model };
  const plane = await createPlane(own);
  const servers: Parameters<typeof listen>[0]["servers"] = [];
  const ports = await listen({ parts: own, plane, servers });
  const closers = [
    () => parts.codecs[Symbol.dispose](),
    async () => plane.images[Symbol.asyncDispose](),
    async () => parts.set[Symbol.asyncDispose](),
    async () => parts.observation[Symbol.asyncDispose](),
  ];
  const { log, keys } = parts;
  const reload = async (): Promise<void> => undefined;
  await using server = runningServer({ ports, models, servers, closers, log, keys, reload });
  const { http, grpc = 0 } = server.ports;
  const asked = askedModel(name, signature);
  const outputs = signature?.outputs ?? asked.inputs;
  await walk({ http, grpc, model: { ...asked, outputs } }, { kind });
}

const OUTPUT = { name: "output", datatype: "FP32", shape: [-1, 2] } as const;

/** Takes what the signature takes, and gives zeros in the shapes that it gives; without one it gives back what came. */
function echoing(kind: ModelKind, model: string, signature: Signature | undefined): Predictor {
  const facts = {
    ...{ kind, platform: "test", takesTensors: true, takesRawBody: false },
    ...{ streams: false, joinsRows: false, wantsHeaders: false },
    ...(signature !== undefined && { signature }),
  };
  return {
    describe: () => facts,
    infer: async (request) => {
      if (signature === undefined) return { outputs: request.inputs as readonly NamedTensor[] };
      matchInputs(request, signature, model);
      return {
        outputs: signature.outputs.map((spec) => {
          const shape = exampleShape(spec);
          return { name: spec.name, datatype: spec.datatype, shape, data: zeroBytes(spec, shape) };
        }),
      };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Models that are loaded for real. */
const LOADED: readonly {
  readonly id: string;
  readonly kind: ModelKind;
  /** Absent for what needs no Python. */
  readonly packages?: readonly string[];
  readonly more: Partial<ModelDescription>;
  readonly takes?: "bodies";
}[] = [
  { id: "onnx", kind: "onnx", more: { modelPath: join(FIXTURES, "onnx/digits.onnx") } },
  {
    ...{ id: "xgboost", kind: "xgboost", packages: ["xgboost-cpu==3.2.0"] },
    more: { modelPath: join(FIXTURES, "kinds/xgboost-ubj/iris.ubj") },
  },
  {
    ...{ id: "sklearn", kind: "sklearn", packages: ["scikit-learn"] },
    more: { modelPath: join(FIXTURES, "pickles/bayes.joblib") },
  },
  {
    ...{ id: "a class in TypeScript", kind: "class" },
    more: {
      codePath: join(FIXTURES, "js-models"),
      code: { file: "Typed.ts", name: "Echo", language: "javascript" },
    },
  },
  {
    ...{ id: "a class in Python", kind: "class", packages: ["numpy"] },
    more: {
      codePath: join(FIXTURES, "protocol-pairs"),
      code: { file: "echo.py", name: "Echo", language: "python" },
    },
  },
  {
    ...{ id: "a class that takes bodies", kind: "class", packages: ["numpy"], takes: "bodies" },
    more: {
      contract: "uai",
      codePath: join(FIXTURES, "protocol-pairs"),
      code: { file: "bodies.py", name: "Bodies", language: "python" },
    },
  },
];

async function signatureOf(file: string): Promise<Signature | undefined> {
  const folder = dirname(file);
  const files = modelFilesIn(folder).filter(({ location }) => location === file);
  return (await detectModel({ folder, files })).signature;
}

describe("models that are loaded, by every protocol", () => {
  for (const { id, kind, packages, more, takes } of LOADED)
    test(id, async (t) => {
      const environment = packages && (await pythonEnv(t, { packages }));
      if (packages !== undefined && environment === undefined) return;
      const python = environment && { executable: environment.python, path: [] };
      const said = more.modelPath === undefined ? undefined : await signatureOf(more.modelPath);
      const loaded = description(kind, {
        ...{ codePath: FIXTURES, ...more },
        ...(said && { signature: said }),
        ...(python && { python }),
      });
      await using server = await serveModel(loaded, QUIET);
      const { http, grpc = 0 } = server.ports;
      const { signature } = server.models.model().predictor.describe();
      const model = askedModel(loaded.name, signature);
      const outputs = signature === undefined ? model.inputs : signature.outputs;
      await walk({ http, grpc, model: { ...model, outputs } }, { kind, ...(takes && { takes }) });
    });
});

describe("every kind that is described only is refused when it is loaded, with the reason", () => {
  for (const kind of DESCRIBED)
    test(kind, async (t) => {
      const modelPath = modelFolder(t, KIND_SAMPLES[kind]().files);
      await assert.rejects(
        serveModel(description(kind, { modelPath }), QUIET),
        (error: unknown) => {
          assert.ok(isToolError(error), String(error));
          assert.equal(error.code, "UNSUPPORTED");
          assert.match(error.message, new RegExp(`\\b${kind}\\b.* described and not served`));
          return true;
        },
      );
    });
});
