# Completion of tradebot for bash. The command `completion install` puts it where new shells find it.
_tradebot() {
  local line typed=${COMP_LINE:0:COMP_POINT} name
  # Readline replaces what stands behind the last `=` or `:` only.
  local word=${typed##*[[:space:]]}
  local kept=${word%"${word##*[=:]}"}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default ;;
      :open) compopt -o nospace ;;
      *) name=${line%%$'\t'*} && COMPREPLY+=("${name#"$kept"}") ;;
    esac
  done < <(_TRADEBOT_COMPLETE=$typed "$1" 2>/dev/null)
}
complete -F _tradebot tradebot
