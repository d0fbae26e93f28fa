# Every command of docs/deploy runs, or says why not.
# shellcheck shell=bash

part_docs() {
  need 'commands of the guides' kubectl systemd-analyze || return 0
  need_tool 'commands of the guides' helm || return 0
  local without=-
  if [[ ! -x $BINARY ]]; then
    skip "the server's own commands in the guides" "the binary $BINARY"
    without='equinox '
  fi
  check 'every command of the guides works' \
    env PATH="$TOOLS:$(dirname "$BINARY"):$PATH" HELM="$(tool helm)" EQUINOX_DOCS_WITHOUT="$without" "$PYTHON" "$HERE/checks/docs.py"
}
