import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelDescription } from "../../../models/description/index.ts";
import { parseSeldonLaunch } from "./launch.ts";
import { applyLaunch, describeMicroservice } from "./microservice.ts";

const PLACE = { codePath: "/app", python: "/usr/bin/python3", pythonPath: ["/site"] };
const PACKED: ModelDescription = {
  schemaVersion: 1,
  name: "iris",
  kind: "class",
  contract: "seldon",
  service: "MODEL",
  codePath: "/app",
  code: { file: "my-model.py", name: "Model", language: "python" },
  ports: { http: 9000, grpc: 5000, metrics: 6000 },
  server: { workers: 2 },
};

test("the arguments say what is served", () => {
  const described = describeMicroservice(
    parseSeldonLaunch(
      ["pkg.mod.Class", "--service-type", "ROUTER", "--workers", "3", "--http-port=8001"],
      {},
    ),
    PLACE,
  );
  assert.deepEqual(described.code, { file: "pkg/mod.py", name: "Class", language: "python" });
  assert.deepEqual(described.ports, { http: 8001, grpc: 5000, metrics: 6000 });
  assert.deepEqual(
    [described.service, described.server.workers, described.codePath, described.python],
    ["ROUTER", 3, "/app", { executable: "/usr/bin/python3", path: ["/site"] }],
  );
  assert.throws(() => describeMicroservice(parseSeldonLaunch([], {}), PLACE), { code: "USAGE" });
});

test("the environment of an image takes the place of arguments", () => {
  const env = {
    MODEL_NAME: "Other",
    SERVICE_TYPE: "TRANSFORMER",
    GUNICORN_WORKERS: "4",
    PREDICTIVE_UNIT_HTTP_SERVICE_PORT: "9500",
  };
  const applied = applyLaunch(PACKED, parseSeldonLaunch([], env));
  assert.deepEqual(applied.code, { file: "Other.py", name: "Other", language: "python" });
  assert.deepEqual(
    [applied.service, applied.server.workers, applied.ports.http],
    ["TRANSFORMER", 4, 9500],
  );
});

test("the class that an image was made for is known by its name, whatever its file is called", () => {
  assert.deepEqual(
    applyLaunch(PACKED, parseSeldonLaunch([], { MODEL_NAME: "my-model.Model" })).code,
    PACKED.code,
  );
  const code = { file: "Model.ts", name: "Model", language: "javascript" } as const;
  assert.deepEqual(
    describeMicroservice(parseSeldonLaunch(["Model"], {}), { ...PLACE, code }).code,
    code,
  );
  assert.deepEqual(
    applyLaunch({ ...PACKED, code }, parseSeldonLaunch([], { MODEL_NAME: "Model" })).code,
    code,
  );
});
