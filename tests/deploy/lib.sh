# Counting, skipping and cleaning up; sourced by run.sh.
# shellcheck shell=bash

PASSED=0
FAILED=0
SKIPPED=0
PART=""
PYTHON=/usr/bin/python3
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

pass() {
  PASSED=$((PASSED + 1))
  printf 'ok      %-10s %s\n' "$PART" "$1"
}

# fail NAME [FILE]: FILE holds what was printed; its end is shown.
fail() {
  FAILED=$((FAILED + 1))
  printf 'FAILED  %-10s %s\n' "$PART" "$1"
  [[ -z ${2:-} ]] || tail -n "${EQUINOX_DEPLOY_LINES:-25}" "$2" | sed 's/^/        | /'
}

# skip NAME TOOL: a gap with the name of what is missing; in strict mode a failure.
skip() {
  if [[ ${EQUINOX_DEPLOY_STRICT:-} == 1 ]]; then
    FAILED=$((FAILED + 1))
    printf 'FAILED  %-10s %s (strict: %s is missing)\n' "$PART" "$1" "$2"
  else
    SKIPPED=$((SKIPPED + 1))
    printf 'skipped %-10s %s (%s is missing)\n' "$PART" "$1" "$2"
  fi
}

# unavailable NAME TOOL WHY: a tool whose source refuses it to everybody; a named gap in strict mode, too.
unavailable() {
  SKIPPED=$((SKIPPED + 1))
  printf 'skipped %-10s %s (%s: %s)\n' "$PART" "$1" "$2" "$3"
}

# check NAME COMMAND…: passes when the command exits 0.
check() {
  local name=$1 log
  shift
  log=$(mktemp -p "$SCRATCH")
  if "$@" >"$log" 2>&1; then pass "$name"; else fail "$name" "$log"; fi
}

# check_silent NAME COMMAND…: passes when the command exits 0 and prints nothing.
check_silent() {
  local name=$1 log
  shift
  log=$(mktemp -p "$SCRATCH")
  if "$@" >"$log" 2>&1 && [[ ! -s $log ]]; then pass "$name"; else fail "$name" "$log"; fi
}

# need NAME TOOL…: true when every tool is there, else a named skip.
need() {
  local name=$1 tool
  shift
  for tool in "$@"; do
    if ! command -v "$tool" >/dev/null 2>&1; then
      skip "$name" "$tool"
      return 1
    fi
  done
}

# need_module TEST MODULE PACKAGE: as need, for a module of Python.
need_module() {
  "$PYTHON" -c "import $2" 2>/dev/null || { skip "$1" "$3"; return 1; }
}

# tool NAME: path of a Go tool, or of one on the PATH.
tool() {
  if [[ -x $TOOLS/$1 ]]; then echo "$TOOLS/$1"; else command -v "$1"; fi
}

# need_tool TEST TOOL: as need, for a tool that tools.sh builds.
need_tool() {
  tool "$2" >/dev/null || { skip "$1" "$2"; return 1; }
}

# wait_for SECONDS COMMAND…: polls until the command succeeds.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    read -r -t 0.1 <> <(:) || true
  done
}

# A free TCP port on the loopback interface.
free_port() {
  "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# at_exit COMMAND…: run, newest first, when the harness ends however it ends.
CLEANUP=()
at_exit() { CLEANUP+=("$(printf '%q ' "$@")"); }

run_cleanup() {
  local index
  for ((index = ${#CLEANUP[@]} - 1; index >= 0; index--)); do
    eval "${CLEANUP[index]}" >/dev/null 2>&1 || true
  done
}
