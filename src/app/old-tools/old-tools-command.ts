import { flag, needed } from "../options/kinds.ts";
import type { CommandSpec } from "../options/option.ts";
import type { OldToolsRequest } from "./write-old-tools.ts";

/** `slipway old-tools [DIR]`. */
export const OLD_TOOLS_COMMAND: CommandSpec<OldToolsRequest> = {
  options: {
    folder: needed("[folder]", "where scripts call them", { byDefault: "." }),
    isForced: flag("--force", "replace files that are there"),
  },
  notes: [
    "Writes uai_tool.py, pytorch_tool.py and their siblings: `packdocker` and `pack` hand over to slipway with the flags as they are; every other command says what to do in its place.",
  ],
  examples: ["slipway old-tools ./uai-sdk/uai_tools"],
};
