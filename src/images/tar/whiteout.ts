/** What the name of a file begins with that stands for the removal of another. @see image-spec, layer.md, "Whiteouts" */
export const WHITEOUT_PREFIX = ".wh.";

/** The file that hides everything that lower layers have in its folder. @see image-spec, layer.md, "Opaque Whiteout" */
export const OPAQUE_WHITEOUT = ".wh..wh..opq";

/** True for the name of a file or folder, or a path of such names, that a layer would read as the removal of something. */
export function isWhiteoutName(path: string): boolean {
  return path.split("/").some((name) => name.startsWith(WHITEOUT_PREFIX));
}
