/** What a caller that reads the words of an export has to know of them. Loaded by that command alone. */
export { INPUT_TYPES, parseInputType, parseReplacement } from "../../models/export/index.ts";
