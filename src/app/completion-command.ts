import { needed } from "./options/kinds.ts";
import type { CommandSpec } from "./options/option.ts";

/** For which shell. */
export interface CompletionWords {
  readonly shell: string;
}

/** `slipway completion SHELL`. */
export const COMPLETION_COMMAND: CommandSpec<CompletionWords> = {
  options: {
    shell: needed("<shell>", "which shell", {
      isRequired: true,
      choices: ["bash", "zsh", "fish"],
    }),
  },
  examples: ["source <(slipway completion bash)"],
};
