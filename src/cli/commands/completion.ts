import { COMMANDS } from "../../app/index.ts";
import type { Run } from "../cli.ts";
import { commandNames } from "../create-command.ts";

/** `slipway completion SHELL`: completes command names, and file names after them. */
export const printCompletion: Run<"completion"> = async ({ shell }, { reporter }) => {
  const script = SCRIPTS[shell]?.() ?? "";
  for (const line of script.split("\n")) reporter.line(line);
  reporter.result({ shell, script });
};

const topNames = () => commandNames().filter((name) => !name.includes(" "));
const names = (): string => topNames().join(" ");

const SCRIPTS: Readonly<Record<string, () => string>> = {
  bash: () => `_slipway() {
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names()}" -- "\${COMP_WORDS[1]}"))
  else COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); fi
}
complete -o filenames -F _slipway slipway`,
  zsh: () => `#compdef slipway
_slipway() {
  local -a commands
  commands=(${topNames()
    .map((name) => `'${name}:${COMMANDS[name].summary.replaceAll("'", "").replaceAll(":", "\\:")}'`)
    .join(" ")})
  if (( CURRENT == 2 )); then _describe command commands; else _files; fi
}
compdef _slipway slipway`,
  fish: () =>
    topNames()
      .map(
        (name) =>
          `complete -c slipway -n __fish_use_subcommand -a ${name} -d '${COMMANDS[name].summary.replaceAll("'", "")}'`,
      )
      .join("\n"),
};
