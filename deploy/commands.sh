# shellcheck shell=bash disable=SC2016  # the shell that runs the printed script expands it
# How deploy.sh runs its commands. It prints each one first; with --dry-run it only prints them, as a
# script that a reviewer can read and that does the same. deploy.sh sources this file.

# The printed script begins with the next two functions.

retried() { # Google refuses some commands for a moment: the account is new, another operation runs
  local attempt
  for attempt in 1 2 3 4 5; do
    if "$@"; then return; fi
    sleep $((attempt * 5))
  done
  echo "refused five times: $*" >&2
  return 1
}

unless_there() { # COMMAND...: make something; it is no error if it exists already
  local said
  if said=$("$@" 2>&1 </dev/null); then return; fi
  case $said in
    *ALREADY_EXISTS* | *'already exists'*) ;;
    *) printf '%s\n' "$said" >&2; return 1 ;;
  esac
}

step() { printf '\n# %s\n' "$*"; }

quoted() { # WORD: quoted for the shell; ${NAME} stays a variable
  if [[ $1 =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]]; then printf '%s' "$1"
  elif [[ $1 == *'${'* ]]; then printf '"%s"' "${1//\"/\\\"}"
  else printf "'%s'" "${1//\'/\'\\\'\'}"; fi
}

shown() { # COMMAND...: as text; a long one has each flag on its own line, and no line over 96
  local line='' length=0 word whole="$*"
  for word in "$@"; do
    word=$(quoted "$word")
    if [[ -z $line ]]; then
      line=$word
    elif [[ ${#whole} -gt 90 && $word =~ ^[\'\"]?-- || $((length + ${#word})) -gt 96 ]]; then
      line+=$' \\\n      '$word
      length=6
    else
      line+=" $word"
    fi
    length=$((length + ${#word} + 1))
  done
  printf '%s' "$line"
}

run() {
  printf '%s\n' "$(shown "$@")"
  if [[ -z $DRY_RUN ]]; then "$@"; fi
}

look_up() { # NAME COMMAND...: set NAME to the command's output, which may be empty
  local name=$1 found
  shift
  printf '%s=$(%s)\n' "$name" "$(shown "$@")"
  if [[ -n $DRY_RUN ]]; then found="\${$name}"; else found=$("$@"); fi
  printf -v "$name" '%s' "$found"
}

learn() { # NAME COMMAND...: the same, but fail if the output is empty
  look_up "$@"
  [[ -n ${!1} ]] || fail "nothing was found for $1"
}

ensure() { # LOOK... -- MAKE...: run MAKE if LOOK fails
  split "$@"
  printf '%s >/dev/null 2>&1 ||\n  %s\n' "$(shown "${FIRST[@]}")" "$(shown "${REST[@]}")"
  if [[ -z $DRY_RUN ]]; then "${FIRST[@]}" >/dev/null 2>&1 || "${REST[@]}"; fi
}

put() { # LOOK... -- UPDATE... -- MAKE...: run UPDATE if LOOK succeeds, else MAKE
  split "$@"
  local look=("${FIRST[@]}")
  split "${REST[@]}"
  printf 'if %s >/dev/null 2>&1; then\n  %s\nelse\n  %s\nfi\n' \
    "$(shown "${look[@]}")" "$(shown "${FIRST[@]}")" "$(shown "${REST[@]}")"
  if [[ -n $DRY_RUN ]]; then return; fi
  if "${look[@]}" >/dev/null 2>&1; then "${FIRST[@]}"; else "${REST[@]}"; fi
}

put_found() { # NAME UPDATE... -- MAKE...: run UPDATE if the variable NAME is set, else MAKE
  local name=$1
  shift
  split "$@"
  printf 'if [[ -n $%s ]]; then\n  %s\nelse\n  %s\nfi\n' \
    "$name" "$(shown "${FIRST[@]}")" "$(shown "${REST[@]}")"
  if [[ -n $DRY_RUN ]]; then return; fi
  if [[ -n ${!name} ]]; then "${FIRST[@]}"; else "${REST[@]}"; fi
}

need() { # LOOK... -- MESSAGE: stop with the message if LOOK fails
  split "$@"
  printf '%s >/dev/null 2>&1 ||\n  { echo %s >&2; exit 2; }\n' \
    "$(shown "${FIRST[@]}")" "$(quoted "${REST[*]}")"
  if [[ -z $DRY_RUN ]]; then "${FIRST[@]}" >/dev/null 2>&1 || fail "${REST[*]}"; fi
}

grant() { run retried "$@" --format=none; }

split() { # WORDS...: set FIRST and REST to what is before and after the first `--`
  FIRST=() REST=()
  while [[ $1 != -- ]]; do
    FIRST+=("$1")
    shift
  done
  shift
  REST=("$@")
}

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}
