export { createOnnxPredictor, type OnnxOptions } from "./create-onnx-predictor.ts";
