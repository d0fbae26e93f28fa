# Every command of docs/deploy runs, or says why not.
# shellcheck shell=bash

part_docs() {
  need 'commands of the guides' kubectl systemd-analyze || return 0
  need_tool 'commands of the guides' helm || return 0
  check 'every command of the guides works' env PATH="$TOOLS:$PATH" HELM="$(tool helm)" "$PYTHON" "$HERE/checks/docs.py"
}
