export { createJsPredictor, type JsOptions } from "./create-js-predictor.ts";
