import assert from "node:assert/strict";
import { test } from "node:test";
import { isContainerVariable, parseEnvironmentFile } from "./container-env.ts";

test("variables of the machine and secrets belong to no container", () => {
  for (const name of ["PATH", "LD_LIBRARY_PATH", "AWS_SECRET_ACCESS_KEY", "1A", ""])
    assert.equal(isContainerVariable(name), false, name);
  assert.equal(isContainerVariable("MODEL_NAME"), true);
});

test("the environment file of s2i is read", () => {
  assert.deepEqual(
    parseEnvironmentFile(
      '# for s2i\nMODEL_NAME=MyModel\r\nAPI_TYPE=REST\nSERVICE_TYPE=ROUTER\n\nTEXT="a b"\nPATH=/x\nnonsense\n',
    ),
    {
      MODEL_NAME: "MyModel",
      API_TYPE: "REST",
      SERVICE_TYPE: "ROUTER",
      TEXT: "a b",
    },
  );
});
