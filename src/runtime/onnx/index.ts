export { createOnnxModel, type OnnxOptions } from "./create-onnx-model.ts";
