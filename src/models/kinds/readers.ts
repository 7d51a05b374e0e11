import type { FormatReader } from "./contracts.ts";
import { onnxReader } from "./onnx/reader.ts";
import { javascriptClassReader } from "./javascript-class.ts";
import { pickleReader } from "./pickle/reader.ts";
import { pythonClassReader } from "./python-class.ts";

/** Every kind of model that is recognised. The order decides nothing but the order of lists in errors. */
export const READERS: readonly FormatReader[] = [
  pythonClassReader,
  javascriptClassReader,
  onnxReader,
  pickleReader,
];
