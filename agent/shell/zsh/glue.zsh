# What serves a session inside zsh. It is the .zshenv of a ZDOTDIR of our own,
# descriptor 5, which gives the user's own back at once; all other start-up
# files are read as ever.
#
# The line editor watches a pipe from the holder. A request that comes on it is
# seen only while ZLE waits for a key, so it can never get into a program or
# between the commands of a list. A run has to be executed as a line is, as
# `typeset` makes local variables anywhere else: so the holder, told that a run
# would be taken, presses a key of ours, whose widget pushes the user's line and
# accepts a line that sources the script. Streams are opened through the
# /proc/<pid>/fd of the holder, or of what carries them for it.

if [[ -n ${BERTH_ZDOTDIR+set} ]]; then
  export ZDOTDIR=$BERTH_ZDOTDIR
else
  unset ZDOTDIR
fi
unset BERTH_ZDOTDIR

# ---- The channel ----

# Says: type flags id status how text.
_berth_say() {
  emulate -L zsh +x
  [[ ${sysparams[pid]} == ${_berth[pid]} ]] || return 0
  syswrite -o ${_berth[to]} -- "$*"$'\0'
}

# Takes in what the holder says; waits $1 seconds for the first of it.
_berth_read() {
  emulate -L zsh +x
  local chunk wait=$1
  while sysread -i ${_berth[from]} -t $wait chunk; do
    _berth[unread]+=$chunk
    wait=0
  done
  local -a words
  while [[ ${_berth[unread]} == *$'\n'* ]]; do
    words=(${=_berth[unread]%%$'\n'*})
    _berth[unread]=${_berth[unread]#*$'\n'}
    case $words[1] in
      R)
        _berth[id]=$words[3] _berth[flags]=$words[2]
        _berth[fds]="$words[4,8]"
        ;;
      C)
        if [[ ${_berth[id]} == $words[3] ]]; then
          _berth[id]=
          _berth_say W 0 $words[3] 0 0
        fi
        ;;
      A) _berth[acknowledged]=$words[3] ;;
      Q) _berth[asked]=1 ;;
    esac
  done
}

# ---- At the prompt ----

# A widget that ZLE calls when something came. A key would do something else in
# the middle of a sequence of keys, or of a command, and keys that came before
# go first.
_berth_wake() {
  emulate -L zsh +x
  if (( $# > 1 )); then  # The holder is gone.
    zle -F $1
    return 0
  fi
  _berth_read 0
  local asked=${_berth[asked]}
  _berth[asked]=
  _berth_install
  if ! _berth_is_ready; then
    [[ -n $asked${_berth[id]} ]] && _berth_say B 0 0 0 0
  elif [[ -n ${_berth[id]} ]]; then
    _berth_say K 0 ${_berth[id]} 0 0
  elif [[ -n $asked ]]; then
    _berth_say P 0 0 0 0 $PWD
  fi
  return 0
}

_berth_is_ready() {
  [[ $CONTEXT == start && -z $KEYS ]] &&
    (( PENDING + KEYS_QUEUED_COUNT + ${ZLE_RECURSIVE:-0} == 0 ))
}

# The widget of the holder's key.
_berth_key() {
  emulate -L zsh +x
  [[ -n ${_berth[id]} && -z ${_berth[running]} ]] || return 0
  _berth[line]=$BUFFER
  _berth[cursor]=$CURSOR
  zle .push-line
  BUFFER=' \builtin eval "$_berth_go"'
  zle .accept-line
}

_berth_precmd() {
  # An interrupt can hit what comes after a run too.
  if [[ -n ${_berth[running]} ]]; then
    _berth_end 130
    _berth_untrap
  fi
  _berth_say P 0 0 0 0 $PWD
  # Start-up files may have set hooks of their own in place of ours.
  if [[ -z ${_berth[installed]} ]]; then
    _berth[installed]=1
    _berth_install
  fi
}

_berth_preexec() {
  [[ $1 == *'$_berth_go'* ]] || _berth_say B 0 0 0 0
}

_berth_history() {
  [[ $1 != *'$_berth_go'* ]]
}

# Called when ZLE begins a line: one in the middle of a command, or one that a
# run had pushed away.
_berth_line() {
  emulate -L zsh +x
  if [[ $CONTEXT != start ]]; then
    _berth_say B 0 0 0 0
    return 0
  fi
  [[ -n ${_berth[line]} && $BUFFER == ${_berth[line]} ]] && CURSOR=${_berth[cursor]}
  _berth[line]=
  # It came with the end of the one before.
  if [[ -n ${_berth[id]} ]] && _berth_is_ready; then
    _berth_say K 0 ${_berth[id]} 0 0
  fi
  return 0
}

# Also where something has been removed, by `bindkey -d` or `hooks=()`.
_berth_install() {
  emulate -L zsh +x
  local it
  zle -N _berth_key
  zle -N _berth_wake
  zle -F -w ${_berth[from]} _berth_wake
  for it in emacs viins vicmd; do
    bindkey -M $it '\e[5731~' _berth_key
  done
  for it in precmd preexec; do
    add-zsh-hook $it _berth_$it
  done
  add-zsh-hook zshaddhistory _berth_history
  add-zle-hook-widget line-init _berth_line
}

# ---- A run ----

# At top level, as the user's own lines are.
typeset -g _berth_go='
if _berth_begin; then {
  _berth_trap
  _berth_status $_berth_last
  . /dev/fd/$_berth_script <&$_berth_in >&$_berth_out 2>&$_berth_err
} always {
  _berth_end $?
} fi
_berth_leave'
typeset -g _berth_last=0 _berth_user=0
typeset -g _berth_script _berth_in _berth_out _berth_err _berth_errexit

_berth_status() {
  [[ -o errexit || -o errreturn ]] || return $1
}

# Takes the line that ran us off the screen, and opens the streams.
_berth_begin() {
  _berth_user=$?
  [[ -o errexit ]] && _berth_errexit=1 || _berth_errexit=
  emulate -L zsh +x
  local id=${_berth[id]}
  _berth[id]=
  local rows=$(( ${#PS1//[^$'\n']} + 1 ))
  [[ $TERM == dumb ]] || print -rn -- $'\e['${rows}$'A\r\e[J' >$TTY
  if ! _berth_open ${=_berth[fds]}; then
    _berth_close
    _berth_say X 0 $id 0 0 "it can't open the command's streams: $ERRNO"
    return 1
  fi
  _berth[running]=$id _berth[exit]= _berth[forced]=
  if (( _berth[flags] & 1 )); then
    (( $+functions[exit] )) || functions[exit]='_berth_exit 6 ${1-$?}'
  fi
  _berth_say S 0 $id 0 0
}

# Of process $1: script, stdin, stdout and stderr.
_berth_open() {
  local at=/proc/$1/fd
  sysopen -r -o cloexec -u _berth_script $at/$2 &&
    sysopen -r -o cloexec -u _berth_in $at/$3 &&
    sysopen -w -o cloexec -u _berth_out $at/$4 &&
    sysopen -w -o cloexec -u _berth_err $at/$5
}

_berth_close() {
  emulate -L zsh +x
  [[ -n $_berth_script ]] && exec {_berth_script}<&-
  [[ -n $_berth_in ]] && exec {_berth_in}<&-
  [[ -n $_berth_out ]] && exec {_berth_out}>&-
  [[ -n $_berth_err ]] && exec {_berth_err}>&-
  _berth_script= _berth_in= _berth_out= _berth_err=
}

# An interrupt that was meant for the run must not hit the user's line: it is
# ignored until the holder knows of the end, and sends no more.
_berth_end() {
  emulate -L zsh +x
  trap '' INT
  local code=$1 how=0 id=${_berth[running]}
  if [[ -n ${_berth[exit]} ]]; then
    code=${_berth[exit]} how=${_berth[how]}
  elif (( TRY_BLOCK_INTERRUPT > 0 )) || [[ -n ${_berth[forced]} ]]; then
    code=130 how=2
  fi
  TRY_BLOCK_ERROR=0 TRY_BLOCK_INTERRUPT=0
  [[ ${functions[exit]-} == *_berth_exit* ]] && unfunction exit
  _berth_close
  _berth_last=$code
  _berth[running]=
  _berth_say D 0 $id $code $how $PWD
  local tries
  for tries in {1..10}; do
    [[ ${_berth[acknowledged]} == $id ]] && break
    _berth_read 1
  done
}

# For the user, all is as before.
_berth_leave() {
  _berth_untrap
  [[ -n $_berth_errexit ]] || unsetopt errexit
  return $_berth_user
}

# Both without local traps, which end with the function.
_berth_trap() {
  [[ -n ${functions[TRAPZERR]-} || ${_berth[flags]} == 0 ]] ||
    functions[TRAPZERR]='_berth_failed $?'
}

_berth_untrap() {
  [[ ${functions[TRAPZERR]-} != *_berth_failed* ]] || unfunction TRAPZERR
}

# `exit` in a run ends the run: by the one error that goes up to top level.
_berth_exit() {
  (( ZSH_SUBSHELL )) && builtin exit $2
  _berth[exit]=$(( $2 & 255 )) _berth[how]=$1
  { : ${_berth_none:?} } 2>/dev/null
}

# And so does a failure under `set -e`.
_berth_failed() {
  [[ -o errexit ]] || return 0
  (( ZSH_SUBSHELL )) && return 0
  unsetopt errexit
  _berth_exit 4 $1
}

# A run that ignores SIGINT is interrupted so. Nothing more than this: zsh calls
# it in the middle of anything.
TRAPURG() {
  [[ -n ${_berth[running]} && ${sysparams[pid]} == ${_berth[pid]} ]] || return 0
  _berth[forced]=1
  return 130
}

# ---- Start ----

() {
  emulate -L zsh +x
  local why
  if [[ ! -o interactive ]]; then
    why='it is not interactive'
  elif ! zmodload zsh/zle zsh/system zsh/parameter 2>/dev/null; then
    why="zsh $ZSH_VERSION lacks the modules zsh/zle, zsh/system, zsh/parameter"
  elif ! autoload -Uz +X add-zsh-hook add-zle-hook-widget 2>/dev/null; then
    why="zsh $ZSH_VERSION lacks its functions add-zsh-hook and"
    why+=" add-zle-hook-widget, which come with zsh 5.3"
  fi
  typeset -gA _berth
  _berth[pid]=$$
  local fd
  if [[ -z $why ]]; then
    sysopen -r -o cloexec -u fd /proc/self/fd/3 && _berth[from]=$fd &&
      sysopen -w -o cloexec -u fd /proc/self/fd/4 && _berth[to]=$fd &&
      _berth_install || why="it can't open /proc/self/fd"
  fi
  if [[ -z $why ]]; then
    _berth_say H 0 0 0 0
  else
    print -rn -u 4 -- "F 0 0 0 0 $why"$'\0'
  fi
  exec 3<&- 4>&- 5<&-
}

[[ -r ${ZDOTDIR:-$HOME}/.zshenv ]] && . ${ZDOTDIR:-$HOME}/.zshenv
