import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageConfig } from "../../app/index.ts";
import { historyOf, modelOf } from "../../app/shown/index.ts";
import { digestOf } from "../../images/oci/index.ts";
import type { Check } from "../../app/index.ts";
import { reportChecks } from "./checks.ts";
import { createReporter } from "./create-reporter.ts";
import { configLines, modelLines } from "./image.ts";

function configWith(config: ImageConfig["config"]): ImageConfig {
  return {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [] },
    ...(config === undefined ? {} : { config }),
  };
}

test("an image's facts are shown without control characters", () => {
  const config: ImageConfig = {
    ...configWith({
      User: "8888:0",
      Entrypoint: ["/bin/x", "two words"],
      Env: ["A=\u001b[31mred"],
      Labels: {
        "dev.slipway.model":
          '{"name":"m\\u001b","kind":"onnx","signature":{"inputs":[{"name":"x","datatype":"FP32","shape":[-1,4]}]}}',
      },
    }),
    history: [
      { created_by: "base" },
      { created_by: "ENV A", empty_layer: true },
      { comment: "top" },
    ],
    rootfs: { type: "layers", diff_ids: [digestOf(Buffer.from("a")), digestOf(Buffer.from("b"))] },
  };
  assert.deepEqual(historyOf(config), ["base", "top"]);
  const text = [...configLines(config), ...modelLines(config)].join("\n");
  assert.ok(!text.includes("\u001b"));
  assert.match(text, /entrypoint +\/bin\/x "two words"/);
  assert.match(text, /inputs +x FP32 \[\?, 4\]/);
});

test("a label that is no description counts as none", () => {
  for (const text of ["", "{", "[]", "null", "7"])
    assert.equal(modelOf(configWith({ Labels: { "dev.slipway.model": text } })), undefined, text);
  assert.doesNotThrow(() =>
    modelLines(
      configWith({
        Labels: {
          "dev.slipway.model":
            '{"name":7,"signature":{"inputs":{"a":1},"outputs":[null,{"shape":"x"}]}}',
        },
      }),
    ),
  );
});

test("a failed check fails the command with its own code, and warnings do not", () => {
  const lines: string[] = [];
  const reporter = createReporter({
    streams: { out: (text) => void lines.push(text.trimEnd()), err: () => undefined },
    isJson: false,
    isQuiet: true,
    now: () => 0,
  });
  const check: Check = { name: "a", status: "warn", detail: "meh", hint: "do it" };
  reportChecks([check], "this", reporter);
  assert.deepEqual(lines, ["warn  a  meh", "", "a: do it"]);
  assert.throws(
    () =>
      reportChecks(
        [check, { name: "b", status: "fail", detail: "full", code: "DISK_FULL" }],
        "this",
        reporter,
      ),
    { code: "DISK_FULL", message: /1 of 2.*"b": full/ },
  );
});
