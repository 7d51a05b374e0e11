export {
  createOnnxPredictor,
  spareOnnxThreads,
  type OnnxOptions,
} from "./create-onnx-predictor.ts";
