import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CONTRACTS,
  parseProjectFile,
  type ModelDescription,
} from "../../models/description/index.ts";
import { MetricRegistry } from "../metrics/index.ts";
import { ModelRepository, TraceSettings } from "../plane/index.ts";
import {
  DEFAULT_SELDON_SETTINGS,
  PROTOCOLS,
  protocolOf,
  type ApiModel,
  type Plane,
} from "./index.ts";

const description: ModelDescription = {
  schemaVersion: 1,
  name: "m",
  kind: "class",
  contract: "seldon",
  service: "MODEL",
  ports: { http: 0 },
  server: {},
};

const API_MODEL: ApiModel = {
  name: "m",
  inputs: [{ name: "x", datatype: "FP32", shape: [-1, 3] }],
  outputs: [{ name: "y", datatype: "FP32", shape: [-1] }],
  ...{ takesTensors: true, takesRawBody: true },
};

const NO_IMAGES: Plane["images"] = {
  read: () => Promise.reject(new Error("never asked")),
  [Symbol.asyncDispose]: async () => undefined,
};

function plane(): Plane {
  const models = new ModelRepository();
  models.add({ name: "m", version: "1", load: () => Promise.reject(new Error("never loaded")) });
  return {
    ...{ models, description, registry: new MetricRegistry() },
    ...{ version: "1.2.3", allowsControl: true, images: NO_IMAGES },
    seldon: DEFAULT_SELDON_SETTINGS,
    seldonMetadata: undefined,
    log: undefined,
    traces: new TraceSettings({ isOn: false, ratio: 1, count: -1 }),
    codecs: { run: () => Promise.reject(new Error("nothing here is large")) },
    onFailure: () => undefined,
  };
}

test("every contract of a project file has a row, and names that have none are refused", () => {
  for (const contract of CONTRACTS) assert.equal(protocolOf(contract).name, contract);
  assert.throws(() => protocolOf("morse"), { code: "UNSUPPORTED", hint: /seldon/ });
  assert.ok(PROTOCOLS[0]?.refuse !== undefined, "the first row answers what no route takes");
});

test("a contract without a row is refused when the project file is read, and the ones that there are are named", async () => {
  await assert.rejects(
    parseProjectFile("name: iris\ncontract: morse\n", "slipway.yaml"),
    (error: unknown) => {
      assert.match(String(error), /contract/);
      assert.ok(
        CONTRACTS.every((name) => String(error).includes(name)),
        String(error),
      );
      return true;
    },
  );
});

test("no two rows answer one path or one gRPC method, and names of schemas are theirs alone", () => {
  const shared = plane();
  for (const [what, namesOf] of [
    ["path", (row) => [...row.routes(shared).keys()]],
    ["method", (row) => [...(row.grpc?.(shared).methods.keys() ?? [])]],
    ["schema", (row) => Object.keys(row.openapi([API_MODEL]).schemas)],
  ] as const satisfies readonly (readonly [
    string,
    (row: (typeof PROTOCOLS)[number]) => readonly string[],
  ])[]) {
    const names = PROTOCOLS.flatMap(namesOf);
    assert.deepEqual(
      names.filter((name, at) => names.indexOf(name) !== at),
      [],
      what,
    );
  }
});

test("the OpenAPI document has routes only that there are", () => {
  const shared = plane();
  for (const row of PROTOCOLS) {
    const patterns = [...row.routes(shared).keys()];
    for (const path of Object.keys(row.openapi([API_MODEL]).paths))
      assert.ok(
        patterns.some((pattern) => pattern === path || pattern.replace("{name}", "m") === path),
        `${row.name}: ${path}`,
      );
    const example = row.example(API_MODEL);
    if (example !== undefined) assert.ok(example.path in row.openapi([API_MODEL]).paths);
  }
});

test("calls that a model refuses are left out of the document", () => {
  const paths = (model: ApiModel): readonly string[] =>
    PROTOCOLS.flatMap((row) => Object.keys(row.openapi([model]).paths));
  const raw = paths({ ...API_MODEL, takesTensors: false });
  assert.ok(raw.includes("/service") && !raw.some((path) => /infer$|:predict$/.test(path)));
  const tensors = paths({ ...API_MODEL, takesRawBody: false });
  assert.ok(!tensors.includes("/service") && tensors.includes("/v2/models/m/infer"));
});
