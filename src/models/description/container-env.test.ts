import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDockerfileEnv, parseEnvironmentFile } from "./container-env.ts";

test("ENV of the last stage is read in both forms", () => {
  const text = `
FROM golang AS build
ENV CGO_ENABLED=0
FROM python:3.7-slim
WORKDIR /app
COPY requirements.txt requirements.txt
# ENV COMMENTED yes
ENV MODEL_NAME MyModel
env SERVICE_TYPE=MODEL PERSISTENCE="0"
ENV FLASK_JSON_SORT_KEYS=false \\
    GREETING='hello there' \\
    # a comment between
    ESCAPED=a\\ b QUOTED="say \\"hi\\""
ENV PATH=/opt/conda/bin:$PATH LD_LIBRARY_PATH /x
ENV NESTED=\${MODEL_NAME}-1
ENV UNKNOWN=$NOBODY AWS_SECRET_ACCESS_KEY=abc
RUN pip install -r requirements.txt
CMD exec seldon-core-microservice $MODEL_NAME --service-type $SERVICE_TYPE
`;
  assert.deepEqual(parseDockerfileEnv(text), {
    MODEL_NAME: "MyModel",
    SERVICE_TYPE: "MODEL",
    PERSISTENCE: "0",
    FLASK_JSON_SORT_KEYS: "false",
    GREETING: "hello there",
    ESCAPED: "a b",
    QUOTED: 'say "hi"',
    NESTED: "MyModel-1",
  });
  assert.deepEqual(parseDockerfileEnv(""), {});
  assert.deepEqual(parseDockerfileEnv("ENV\nENV =\nENV 1A b\nFROM"), {});
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
