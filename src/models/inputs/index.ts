export { checkImage, createImageDecoder } from "./decode-image.ts";
export { imageFormatOf } from "./image-header.ts";
export {
  imageWay,
  takesImage,
  type ImageDefaults,
  type ImagePlan,
  type ImageWay,
} from "./image-plan.ts";
export { tensorOfPixels } from "./image-tensor.ts";
export type { Pixels } from "./pixels.ts";
export { CsvError, numberOf, parseCsv, type CsvTable } from "./parse-csv.ts";
export { encodePng } from "./encode-png.ts";
