# The values schema, with Python and with Helm.
# shellcheck shell=bash

# refuses FILE: Helm must fail, with the message the file's second line names.
refuses() {
  local file=$1 expected options
  expected=$(sed -n 's/^# expect: //p' "$file")
  options=$(sed -n 's/^# helm: //p' "$file")
  # shellcheck disable=SC2086  # options are words
  if "$(tool helm)" template web "$CHART" ${options:---kube-version 1.31.0} -f "$file" >/dev/null 2>"$SCRATCH/refused"; then
    echo "accepted; expected: $expected"
    return 1
  fi
  grep -qF -- "$expected" "$SCRATCH/refused" && return 0
  echo "expected: $expected"
  cat "$SCRATCH/refused"
  return 1
}

wrapper_chart() {
  local wrapper=$SCRATCH/wrapper
  mkdir -p "$wrapper/charts" "$wrapper/templates"
  cp -r "$CHART" "$wrapper/charts/equinox"
  printf 'apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n  - name: equinox\n    version: ">=0.1.0-0"\n    condition: equinox.enabled\n' >"$wrapper/Chart.yaml"
  printf 'global:\n  site: one\nequinox:\n  enabled: %s\n  replicaCount: 3\n' "$1" >"$wrapper/values.yaml"
  "$(tool helm)" template shop "$wrapper" --kube-version 1.31.0
}

subchart_renders() { wrapper_chart true | grep 'replicas: 3' >/dev/null; }
subchart_can_be_switched_off() { ! wrapper_chart false | grep '^kind:' >/dev/null; }

part_schema() {
  check 'own control of the schema, examples, mistakes and the table of values' "$PYTHON" "$HERE/checks/values.py"
  need_tool 'Helm on the values' helm || return 0
  check 'helm lint --strict' "$(tool helm)" lint --strict --kube-version 1.31.0 "$CHART"
  local file
  for file in "$CHART"/ci/*-values.yaml; do
    check "helm lint --strict with $(basename "$file")" "$(tool helm)" lint --strict --kube-version 1.31.0 "$CHART" -f "$file"
  done
  for file in "$HERE"/bad-values/*.yaml; do
    check "refused: $(basename "$file" .yaml)" refuses "$file"
  done
  check 'as a sub-chart it renders' subchart_renders
  check 'as a sub-chart it can be switched off' subchart_can_be_switched_off
}
