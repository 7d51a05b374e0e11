import type { KindRow } from "./contracts.ts";
import { findJavascriptCandidates } from "./javascript-class.ts";
import { findPythonCandidates } from "./python-class.ts";

/** A class of the user's that answers requests, in Python, JavaScript or TypeScript. Nothing but its name is read. */
export const userClass: KindRow = {
  name: "class",
  requirements: [],
  async recognise(files, options) {
    const found = await Promise.all([
      findPythonCandidates(files, options),
      findJavascriptCandidates(files, options),
    ]);
    return found.flat();
  },
  describe: ({ modelPath }) =>
    Promise.resolve({
      files: modelPath === undefined ? [] : [modelPath],
      warnings: [],
      details: {},
    }),
};
