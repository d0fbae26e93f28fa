# Alerting and recording rules.
# shellcheck shell=bash

part_rules() {
  check 'every alert has four cases, a runbook page and its annotations' "$PYTHON" "$HERE/checks/rules.py"
  need 'rules' promtool || return 0
  check 'promtool check rules' promtool check rules "$CHART"/files/rules/*.yaml
  local file
  for file in "$HERE"/rules/*.yaml; do
    check "promtool test rules: $(basename "$file" .yaml)" promtool test rules "$file"
  done
}
