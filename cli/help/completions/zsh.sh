#compdef berth
# Completion of berth for zsh: source <(berth completion zsh)
_berth() {
  local line
  local -a values shown
  for line in "${(@f)$(command berth complete -- \
      "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    values+=("${line%%$'\t'*}")
    shown+=("${line/$'\t'/  -- }")
  done
  if (( ${#values} )); then
    compadd -l -d shown -a values
  else
    _files
  fi
}
# In a file of $fpath this is the function itself.
if [[ ${funcstack[1]} == _berth ]]; then
  _berth
else
  compdef _berth berth
fi
