import { Argument } from "commander";
import { COMMAND_TABLE } from "../command-table.ts";
import type { CommandModule } from "../command.ts";

/** `slipway completion SHELL`: completes command names, and file names after them. */
export const define: CommandModule["define"] = (command, { reporter }) => {
  command
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", "\nExample:\n  source <(slipway completion bash)")
    .action((shell: "bash" | "zsh" | "fish") => {
      for (const line of SCRIPTS[shell]().split("\n")) reporter.line(line);
      reporter.result({ shell, script: SCRIPTS[shell]() });
    });
};

const names = (): string => COMMAND_TABLE.map((row) => row.name).join(" ");

const SCRIPTS = {
  bash: () => `_slipway() {
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names()}" -- "\${COMP_WORDS[1]}"))
  else COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); fi
}
complete -o filenames -F _slipway slipway`,
  zsh: () => `#compdef slipway
_slipway() {
  local -a commands
  commands=(${COMMAND_TABLE.map((row) => `'${row.name}:${row.summary.replaceAll("'", "").replaceAll(":", "\\:")}'`).join(" ")})
  if (( CURRENT == 2 )); then _describe command commands; else _files; fi
}
compdef _slipway slipway`,
  fish: () =>
    COMMAND_TABLE.map(
      (row) =>
        `complete -c slipway -n __fish_use_subcommand -a ${row.name} -d '${row.summary.replaceAll("'", "")}'`,
    ).join("\n"),
} as const;
