import type { Command } from "commander";
import { CATALOGUE_VARIABLE } from "../app/words/index.ts";

/** Adds `--catalogue`, and says below how rows are written. */
export function addCatalogueOption(command: Command): void {
  command
    .option(
      "--catalogue <file>",
      `versions of your own, and what their images stand on; before the known ones (default: ${CATALOGUE_VARIABLE})`,
    )
    .addHelpText(
      "after",
      `\nA catalogue has rows like those in catalogue/catalogue.json of this package:\n  releases:\n    - { framework: pytorch, name: pytorch-2.11.0, cpu: { base: store:mine, requirements: [torch==2.11.0] } }`,
    );
}
