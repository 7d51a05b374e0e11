import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentOfDockerfile } from "./stage-environment.ts";

test("ENV of the last stage is read in both forms", () => {
  const text = `
FROM golang AS build
ENV CGO_ENABLED=0
FROM python:3.7-slim
# ENV COMMENTED yes
ENV MODEL_NAME MyModel
env SERVICE_TYPE=MODEL PERSISTENCE="0"
ENV FLASK_JSON_SORT_KEYS=false \\
    GREETING='hello there' \\
    # a comment between
    ESCAPED=a\\ b QUOTED="say \\"hi\\""
ENV NESTED=\${MODEL_NAME}-1
ENV UNKNOWN=$NOBODY DEFAULT=\${NOBODY:-some}
RUN pip install -r requirements.txt
CMD exec seldon-core-microservice $MODEL_NAME --service-type $SERVICE_TYPE
`;
  assert.deepEqual(environmentOfDockerfile(text), {
    MODEL_NAME: "MyModel",
    SERVICE_TYPE: "MODEL",
    PERSISTENCE: "0",
    FLASK_JSON_SORT_KEYS: "false",
    GREETING: "hello there",
    ESCAPED: "a b",
    QUOTED: 'say "hi"',
    NESTED: "MyModel-1",
  });
});

test("stages that the last one stands on count", () => {
  assert.deepEqual(
    environmentOfDockerfile("FROM x AS a\nENV A=1\nFROM y\nENV N=0\nFROM a\nENV B=$A\n"),
    { A: "1", B: "1" },
  );
});

test("a text that is no Dockerfile sets nothing", () => {
  assert.deepEqual(environmentOfDockerfile(""), {});
  assert.deepEqual(environmentOfDockerfile("ENV\nENV =\nFROM"), {});
});
