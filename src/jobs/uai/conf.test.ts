import assert from "node:assert/strict";
import { test } from "node:test";
import { printConf, type UaiModel } from "./index.ts";

const MODEL: UaiModel = {
  mainModule: "mnist_inference",
  mainClass: "MnistModel",
  modelDir: "checkpoint_dir",
  modelName: "mnist_model",
  isOneFile: false,
  archType: "json",
  epoch: 10,
};
const EXEC = '"exec": {"main_file": "mnist_inference", "main_class": "MnistModel"}';

const GOLDEN = {
  tf: `{"http_server": {${EXEC}, "tensorflow": {"model_dir": "checkpoint_dir"}}}`,
  caffe: `{"http_server": {${EXEC}, "caffe": {"model_dir": "checkpoint_dir", "model_name": "mnist_model"}}}`,
  keras: `{"http_server": {${EXEC}, "keras": {"model_dir": "checkpoint_dir", "model_name": "mnist_model", "all_one_file": false, "model_arch_type": "json"}}}`,
  mxnet: `{"http_server": {${EXEC}, "mxnet": {"model_dir": "checkpoint_dir", "model_name": "mnist_model", "num_epoch": 10}}}`,
  xgboost: `{"http_server": {${EXEC}, "xgboost": {"model_name": "checkpoint_dir/mnist_model"}}}`,
} as const;

for (const framework of ["tf", "caffe", "keras", "mxnet", "xgboost"] as const) {
  test(`the configuration for ${framework} is what the old tool wrote, byte for byte`, () => {
    assert.equal(printConf(framework, MODEL), GOLDEN[framework]);
  });
}

test("letters beyond ASCII are escaped as Python escapes them", () => {
  assert.ok(
    printConf("tf", { ...MODEL, modelDir: '模型"' }).endsWith(
      '{"model_dir": "\\u6a21\\u578b\\""}}}',
    ),
  );
});
