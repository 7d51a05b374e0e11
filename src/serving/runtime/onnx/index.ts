export { createOnnxComponent, type OnnxOptions } from "./create-onnx-model.ts";
