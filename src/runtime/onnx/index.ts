export { createOnnxComponent, createOnnxModel, type OnnxOptions } from "./create-onnx-model.ts";
