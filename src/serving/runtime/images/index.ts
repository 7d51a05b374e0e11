export { createImageReader } from "./create-image-reader.ts";
