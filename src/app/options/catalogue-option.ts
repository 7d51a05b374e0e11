import { text } from "./kinds.ts";
import type { Option } from "./option.ts";

/** Variable that names a file with catalogue rows of the user's own, when no flag does. */
export const CATALOGUE_VARIABLE = "SLIPWAY_CATALOGUE";

/** A catalogue of the user's own. */
export function catalogueOption(heading?: string): Option<string | undefined> {
  return text(
    "--catalogue <file>",
    `versions of your own, and what their images stand on; before the known ones (default: ${CATALOGUE_VARIABLE})`,
    { heading },
  );
}

/** How rows of a catalogue are written, for below the options. */
export const CATALOGUE_NOTE =
  "A catalogue has rows like those in catalogue/catalogue.json of this package:\n  releases:\n    - { framework: pytorch, name: pytorch-2.11.0, cpu: { base: store:mine, requirements: [torch==2.11.0] } }";
