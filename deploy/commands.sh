# shellcheck shell=bash disable=SC2016  # what is printed is to be expanded by its reader
# How deploy.sh runs its commands: each is shown first, and with --dry-run only shown, as a script
# that a reviewer can read. Sourced.

step() { printf '\n# %s\n' "$*"; }

quoted() { # a word as one would type it; ${NAME} stays a variable
  if [[ $1 =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]]; then printf '%s' "$1"
  elif [[ $1 == *'${'* ]]; then printf '"%s"' "${1//\"/\\\"}"
  else printf "'%s'" "${1//\'/\'\\\'\'}"; fi
}

shown() { # a command; where it is long, each flag on a line of its own, and no line over 96
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

learn() { # NAME COMMAND...: the command's output in a variable
  local name=$1
  shift
  printf '%s=$(%s)\n' "$name" "$(shown "$@")"
  if [[ -n $DRY_RUN ]]; then
    printf -v "$name" '%s' "\${$name}"
    return
  fi
  printf -v "$name" '%s' "$("$@")"
  [[ -n ${!name} ]] || fail "nothing was found for $name"
}

ensure() { # LOOK... -- MAKE...: make what is not there
  split "$@"
  printf '%s >/dev/null 2>&1 ||\n  %s\n' "$(shown "${FIRST[@]}")" "$(shown "${REST[@]}")"
  if [[ -z $DRY_RUN ]]; then "${FIRST[@]}" >/dev/null 2>&1 || "${REST[@]}"; fi
}

put() { # LOOK... -- UPDATE... -- MAKE...: change what is there, or make it
  split "$@"
  local look=("${FIRST[@]}")
  split "${REST[@]}"
  printf 'if %s >/dev/null 2>&1; then\n  %s\nelse\n  %s\nfi\n' \
    "$(shown "${look[@]}")" "$(shown "${FIRST[@]}")" "$(shown "${REST[@]}")"
  if [[ -n $DRY_RUN ]]; then return; fi
  if "${look[@]}" >/dev/null 2>&1; then "${FIRST[@]}"; else "${REST[@]}"; fi
}

need() { # LOOK... -- WHAT: stop where it is not there
  split "$@"
  printf '%s >/dev/null 2>&1 ||\n  { echo %s >&2; exit 2; }\n' \
    "$(shown "${FIRST[@]}")" "$(quoted "${REST[*]}")"
  if [[ -z $DRY_RUN ]]; then "${FIRST[@]}" >/dev/null 2>&1 || fail "${REST[*]}"; fi
}

ensure_listed() { # LIST... -- MAKE...: make what a list does not show
  split "$@"
  printf '[[ -n $(%s) ]] ||\n  %s\n' "$(shown "${FIRST[@]}")" "$(shown "${REST[@]}")"
  if [[ -z $DRY_RUN ]]; then [[ -n $("${FIRST[@]}") ]] || "${REST[@]}"; fi
}

ensure_index() { # a command whose only harmless failure is that the index is there
  printf '%s\n' "$(shown "$@")"
  if [[ -n $DRY_RUN ]]; then return; fi
  local said
  if ! said=$("$@" 2>&1 </dev/null) && [[ $said != *ALREADY_EXISTS* && $said != *'already exists'* ]]; then
    printf '%s\n' "$said" >&2
    exit 1
  fi
}

grant() { # a binding; an account that was just made is not known everywhere at once
  printf '%s\n' "$(shown "$@" --format=none)"
  if [[ -n $DRY_RUN ]]; then return; fi
  local attempt
  for attempt in 1 2 3 4 5; do
    if "$@" --format=none; then return; fi
    sleep $((attempt * 3))
  done
  fail 'the grant above was refused five times'
}

split() { # at the first `--`, into FIRST and REST
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
