/** The shells that there is a script for. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** A shell that there is a script for. */
export type Shell = (typeof shells)[number];

/**
 * The script that makes a shell complete the words of `longwire`: it asks `longwire completion words`
 * for them. bash takes a word apart at `:` and `=`, and is told which part it is at.
 */
export const scripts: Readonly<Record<Shell, string>> = {
  bash: `# bash completion for longwire
_longwire() {
  local line part=\${COMP_WORDS[COMP_CWORD]}
  case $part in [:=]*) part= ;; esac
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
    longwire completion words bash "\${COMP_LINE:0:COMP_POINT}" --part="$part" 2>/dev/null
  )
  case \${COMPREPLY[0]-} in *=) compopt -o nospace 2>/dev/null ;; esac
}
complete -o default -F _longwire longwire
`,
  zsh: `#compdef longwire
_longwire() {
  local line
  local -a found values
  found=("\${(@f)$(longwire completion words zsh "\${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
  [[ -z $found ]] && { _files; return }
  for line in $found; do
    [[ $line == *=$'\\t'* || $line == *= ]] && values+=("\${line%%$'\\t'*}")
  done
  if (( $#values )); then compadd -S '' -- $values; return; fi
  found=("\${(@)found//:/\\\\:}")
  found=("\${(@)found/$'\\t'/:}")
  _describe longwire found
}
if [[ $funcstack[1] == _longwire ]]; then _longwire "$@"; else compdef _longwire longwire; fi
`,
  fish: `# fish completion for longwire
function __longwire_complete
    set -l found (longwire completion words fish (commandline -cp | string collect) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c longwire -f -a '(__longwire_complete)'
`,
};

/** How a shell is told to use its script from now on. */
export const installation: Readonly<Record<Shell, string>> = {
  bash: `longwire completion bash > ~/.local/share/bash-completion/completions/longwire
  (or, in ~/.bashrc: source <(longwire completion bash))`,
  zsh: `longwire completion zsh > "\${fpath[1]}/_longwire"
  (or, in ~/.zshrc after compinit: source <(longwire completion zsh))`,
  fish: 'longwire completion fish > ~/.config/fish/completions/longwire.fish',
};
