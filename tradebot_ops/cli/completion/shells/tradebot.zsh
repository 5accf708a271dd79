#compdef tradebot
# Completion of tradebot for zsh. The command `completion install` puts it where new shells find it.
_tradebot() {
  local line name about files='' open=()
  local -a found
  while IFS= read -r line; do
    case $line in
      :files) files=yes ;;
      :open) open=(-S '') ;;
      *)
        name=${line%%$'\t'*} about=''
        [[ $line == *$'\t'* ]] && about=${line#*$'\t'}
        found+=("${name//:/\\:}${about:+:$about}")
        ;;
    esac
  done < <(_TRADEBOT_COMPLETE="${(j: :)words[1,CURRENT]}" "${words[1]}" 2>/dev/null)
  (( $#found )) && _describe -V tradebot found "${open[@]}"
  [[ -n $files ]] && _files
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _tradebot tradebot
