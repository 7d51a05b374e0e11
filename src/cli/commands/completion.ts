import { complete } from "../../app/index.ts";
import type { Cli, Run } from "../cli.ts";
import { GLOBAL_FLAGS } from "../command-names.ts";

/** `slipway completion SHELL`. */
export const printCompletion: Run<"completion"> = async ({ shell }, { reporter }) => {
  const script = SCRIPTS[shell] ?? "";
  for (const line of script.split("\n")) reporter.line(line);
  reporter.result({ shell, script });
};

/** What the scripts ask: words that may come next, each with a tab and what it means; `:paths` where a path may stand. */
export async function printCandidates(words: readonly string[], { session }: Cli): Promise<void> {
  const { candidates, takesPaths } = await complete(words, GLOBAL_FLAGS, session);
  const lines = candidates.map(({ word, help }) => `${word}\t${help.replaceAll(/\s+/g, " ")}\n`);
  process.stdout.write(`${lines.join("")}${takesPaths ? ":paths\n" : ""}`);
}

/** They ask the tool itself, so that they never grow old. Bash cuts words at `:` and `=`, and wants only what comes after. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_slipway() {
  local line="\${COMP_LINE:0:COMP_POINT}" current cut word help
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current="\${words[\${#words[@]}-1]}"
  cut="\${current%"\${current##*[:=]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r word help; do
    if [[ $word == :paths ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "\${current#"$cut"}")
    else
      COMPREPLY+=("\${word#"$cut"}")
    fi
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}
complete -F _slipway slipway`,
  zsh: `#compdef slipway
_slipway() {
  local -a candidates
  local line
  for line in "\${(@f)$(slipway __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :paths ]]; then _files
    elif [[ -n $line ]]; then candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  if (( $#candidates )); then _describe -t words slipway candidates; fi
}
compdef _slipway slipway`,
  fish: `function __slipway_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (slipway __complete $words[2..] 2>/dev/null)
    if test $line = :paths
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c slipway -f -a '(__slipway_complete)'`,
};
