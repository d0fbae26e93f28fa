# shellcheck shell=bash disable=SC2034  # names are read by the other parts
# What every verb shares: places, privileges, messages.

CACHE_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/equinox"
TOOLS_DIR="$CACHE_DIR/tools"
REPORT_DIR="$ROOT/build/reports"
JOBS="${EQUINOX_JOBS:-$(nproc)}"
PYTHON=/usr/bin/python3 # the distribution's: its packages are the ones that are installed
export EQUINOX_TOOLS="$TOOLS_DIR" EQUINOX_ROOT="$ROOT"

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
warn() { printf 'dev: %s\n' "$*" >&2; }
die() {
  warn "$*"
  exit 1
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "need root or sudo for: $*"
  fi
}

# timed NAME COMMAND…: runs it, prints its seconds, keeps its exit status.
timed() {
  local name=$1 started=$SECONDS status=0
  shift
  say "$name"
  "$@" || status=$?
  printf '%s: %d s%s\n' "$name" "$((SECONDS - started))" "$([[ $status -eq 0 ]] || echo " (status $status)")"
  return "$status"
}
