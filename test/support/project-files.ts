/** Project files, and what becomes of each. `refused` matches the parser's message; absent when the file is fine. */
export const PROJECT_FILES: readonly {
  readonly what: string;
  readonly text: string;
  readonly refused?: RegExp;
}[] = [
  { what: "an empty file", text: "" },
  { what: "comments only", text: "# nothing yet\n" },
  {
    what: "every key",
    text: `name: iris
image: registry.example.com/team/iris:v1
model: models/iris.onnx
code: src/Iris.py:Iris
service: ROUTER
contract: uai
base: docker.io/library/python:3.11-slim
platforms: [linux/amd64, linux/arm64]
python:
  version: "3.11"
  requirements: [requirements.txt, more/extra.txt]
  indexUrl: https://pypi.example.com/simple
  extraIndexUrl: [https://other.example.com/simple]
  findLinks: [wheels]
  ignoreLibraries: [libGL.so.1]
apt: [libgomp1, "libgl1=1.6.0-1"]
env: { THREADS: "4" }
ports: { http: 9000, grpc: 5001, metrics: 6001 }
server: { workers: 2, maxBatch: 8, maxWaitMs: 5, maxBodyBytes: 1000, timeoutMs: 1000 }
ignore: ["*.tmp", "!keep.tmp"]
allowSecrets: [tests/*.pem]
labels: { team: a }
annotations: { org.example.note: b }
`,
  },
  {
    what: "what a class takes and gives",
    text: "signature: { inputs: [{ name: a, datatype: FP32, shape: [-1, 4] }], outputs: [] }",
  },
  {
    what: "a datatype that there is not",
    text: "signature: { inputs: [{ name: a, datatype: float, shape: [4] }] }",
    refused: /signature\.inputs.*datatype.*got "float"/,
  },
  { what: "one requirements file as a text", text: "python: { requirements: requirements.txt }" },
  { what: "all secrets allowed", text: "allowSecrets: true" },
  { what: "a file without a class", text: "code: Model.py" },
  { what: "a name with dots and dashes", text: "name: a.b-c_D9" },
  {
    what: "an unknown key",
    text: "nmae: iris",
    refused: /line 1, column 1: "nmae" is not a key of the project file/,
  },
  {
    what: "an unknown key inside",
    text: "name: iris\nserver:\n  worker: 2\n",
    refused: /line 3, column 3: "worker" is not a key of "server"/,
  },
  {
    what: "a name with a space",
    text: "name: my model",
    refused: /line 1, column 7: name: got "my model", want letters, digits/,
  },
  {
    what: "a number for a text",
    text: "python:\n  version: 3.11\n",
    refused: /line 2, column 12: python\.version: got 3\.11, want a Python version in quotes/,
  },
  {
    what: "a boolean for a variable",
    text: "env:\n  DEBUG: yes\n  OTHER: true\n",
    refused: /env\.OTHER: got true/,
  },
  {
    what: "a variable with a bad name",
    text: "env: { 1X: a }",
    refused: /env\.1X: got "1X", want the name of a variable/,
  },
  {
    what: "a path out of the folder",
    text: "model: ../model.onnx",
    refused: /model: got "\.\.\/model\.onnx", want a path inside the project folder/,
  },
  {
    what: "an absolute path",
    text: "model: /model.onnx",
    refused: /want a path inside the project folder/,
  },
  {
    what: "a path that climbs in the middle",
    text: "model: a/../../b",
    refused: /want a path inside the project folder/,
  },
  {
    what: "code in a language that is not known",
    text: "code: Model.rb:Model",
    refused: /want a file and a class/,
  },
  {
    what: "a service that there is not",
    text: "service: SERVER",
    refused: /got "SERVER", want one of MODEL, ROUTER/,
  },
  {
    what: "a contract that there is not",
    text: "contract: tf",
    refused: /want one of seldon, uai/,
  },
  {
    what: "a platform that there is not",
    text: "platforms: [linux/s390x]",
    refused: /platforms\[0\]: got "linux\/s390x", want one of/,
  },
  {
    what: "a platform twice",
    text: "platforms: [linux/amd64, linux/amd64]",
    refused: /platforms: got a list/,
  },
  {
    what: "no platform",
    text: "platforms: []",
    refused: /platforms: got a list, want a list of at least 1/,
  },
  {
    what: "a port that there is not",
    text: "ports: { http: 70000 }",
    refused: /ports\.http: got 70000, want a whole number from 1 to 65535/,
  },
  { what: "half a worker", text: "server: { workers: 1.5 }", refused: /server\.workers: got 1\.5/ },
  { what: "a package name with a shell in it", text: 'apt: ["libgomp1; rm"]', refused: /apt\[0\]/ },
  { what: "a list at the top", text: "- name: iris", refused: /it must hold keys and values/ },
  { what: "a text at the top", text: "iris", refused: /it must hold keys and values/ },
  { what: "a key with nothing", text: "name:\n", refused: /name: got nothing/ },
];

/** What is no YAML, or YAML that we do not take: other readers may be of another mind. */
export const NO_PROJECT_FILES: readonly {
  readonly what: string;
  readonly text: string;
  readonly refused: RegExp;
}[] = [
  { what: "a key twice", text: "name: a\nname: b\n", refused: /line 2/ },
  {
    what: "a bracket that is not closed",
    text: "platforms: [linux/amd64\n",
    refused: /read "slipway\.yaml" line/,
  },
  { what: "a tab for indentation", text: "python:\n\tversion: '3.11'\n", refused: /line 2/ },
  {
    what: "a bomb of aliases",
    text: `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghij"
      .split("")
      .map(
        (name, at) =>
          `${name}: &${name} [${Array.from({ length: 9 }, () => `*${"abcdefghi"[at]}`).join(",")}]`,
      )
      .join("\n")}\n`,
    refused: /read "slipway\.yaml"/,
  },
];
