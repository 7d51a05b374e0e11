import assert from "node:assert/strict";
import { test } from "node:test";
import { microserviceArguments } from "./command-words.ts";

const ENV = { MODEL_NAME: "MyModel", SERVICE_TYPE: "ROUTER", EMPTY: "", SEVERAL: "--workers 2" };

test("what a container runs is understood without a shell", () => {
  const cases: readonly (readonly [
    argv: readonly string[],
    expected: readonly string[] | undefined,
  ])[] = [
    [
      ["seldon-core-microservice", "A", "--service-type", "MODEL"],
      ["A", "--service-type", "MODEL"],
    ],
    [
      ["/bin/sh", "-c", "exec seldon-core-microservice $MODEL_NAME --service-type $SERVICE_TYPE"],
      ["MyModel", "--service-type", "ROUTER"],
    ],
    [
      ["/bin/sh", "-c", "seldon-core-microservice ${MODEL_NAME} $EMPTY $MISSING $SEVERAL"],
      ["MyModel", "--workers", "2"],
    ],
    [
      ["bash", "-c", `seldon-core-microservice "$MODEL_NAME" --parameters '[{"name":"$x"}]'`],
      ["MyModel", "--parameters", '[{"name":"$x"}]'],
    ],
    [
      ["sh", "-c", `exec seldon-core-microservice "$MODEL_NAME" --pidfile '$x' "$EMPTY"`],
      ["MyModel", "--pidfile", "$x", ""],
    ],
    [["/bin/sh", "-c", "pip list && seldon-core-microservice A"], undefined],
    [["/bin/sh", "-c", "seldon-core-microservice A; rm x"], undefined],
    [["/bin/sh", "-c", "seldon-core-microservice-tester x"], undefined],
    [["/bin/sh", "-c"], undefined],
    [["python3", "-c", "exec seldon-core-microservice A"], undefined],
    [[], undefined],
  ];
  for (const [argv, expected] of cases)
    assert.deepEqual(microserviceArguments(argv, ENV), expected, argv.join(" "));
});
