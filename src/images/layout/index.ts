export { createLayout, openLayout, type Layout } from "./create-layout.ts";
export { tagReference } from "./image-name.ts";
export { openArchive, type ImageArchive } from "./open-archive.ts";
export {
  createImageArchive,
  writeArchive,
  type ArchivedImage,
  type ArchiveStream,
} from "./write-archive.ts";
