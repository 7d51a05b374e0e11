export { createJsPredictor } from "./create-js-predictor.ts";
