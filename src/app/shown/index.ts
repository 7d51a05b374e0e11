/**
 * What names of images and answers of models say, for callers that show them. An entry apart: what it stands on takes longer to load than
 * a command that shows its help.
 */
export { historyOf, modelOf, type ModelLabel, type TensorLabel } from "./image-label.ts";
export { isPinnable, pinnedName } from "./pinned-names.ts";
export { formatPlatform, isForeignLayer } from "../../images/oci/index.ts";
export { predictionRows, rowCells } from "./prediction-rows.ts";
export { differenceInWords, type Difference } from "./difference.ts";
export { registriesIn } from "./registries-in.ts";
