import { exit } from './exit.ts';
import { type Io, readArgs, usage } from './verb.ts';

export const help = `Usage: imux completion bash|zsh|fish

Prints what teaches a shell to complete verbs, options, accounts and targets. Completing
asks the files of imux alone: it is quick, and connects to nothing.

Examples:
  source <(imux completion bash)                                   # in ~/.bashrc
  imux completion zsh > "\${fpath[1]}/_imux"                        # once
  imux completion fish > ~/.config/fish/completions/imux.fish      # once
`;

const bash = `# imux completion for bash
_imux() {
  local found line
  found="$("$1" __complete bash "$2" "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)"
  COMPREPLY=()
  if [[ $found == :files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$2")
    return
  fi
  while IFS= read -r line; do [[ -n $line ]] && COMPREPLY+=("$line"); done <<<"$found"
  [[ \${COMPREPLY[0]-} == *[:=] ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _imux imux
`;

const zsh = `#compdef imux
_imux() {
  local -a found values shown
  local line
  found=("\${(@f)$(imux __complete zsh -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $found[1] == :files ]]; then
    _files
    return
  fi
  for line in $found; do
    values+=("\${line%%$'\\t'*}")
    shown+=("\${\${line%$'\\t'}//$'\\t'/  }")
  done
  (( $#values )) || return 1
  if [[ $values[1] == *[:=] ]]; then compadd -l -S '' -d shown -a values
  else compadd -l -d shown -a values
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _imux "$@"
else compdef _imux imux
fi
`;

const fish = `# imux completion for fish
function __imux_complete
    set -l current (commandline -ct)
    test (count $current) -eq 0; and set current ''
    set -l before (commandline -opc)
    set -l found (imux __complete fish -- $before[2..-1] $current 2>/dev/null)
    if test "$found[1]" = :files
        __fish_complete_path $current
        return
    end
    printf '%s\\n' $found
end
complete -c imux -f -a '(__imux_complete)'
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { positionals } = readArgs(args, {});
  const [shell, ...more] = positionals;
  const script = { bash, zsh, fish }[shell ?? ''];
  if (script === undefined || more.length > 0) throw usage('it is: completion bash, zsh or fish');
  await io.print(script.trimEnd());
  return exit.ok;
}
