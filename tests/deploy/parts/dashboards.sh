# Grafana dashboards, without a server; part prometheus runs every query.
# shellcheck shell=bash

lint_dashboards() {
  local file
  for file in "$CHART"/files/dashboards/*.json; do "$(tool dashboard-linter)" lint --strict "$file" || return 1; done
}

part_dashboards() {
  check 'the generator wrote what is in the chart' "$PYTHON" "$ROOT/deploy/grafana/generate.py" --check
  check 'uid, variables, units, descriptions, layout' "$PYTHON" "$HERE/checks/dashboards.py"
  if tool dashboard-linter >/dev/null; then
    check 'best practices, dashboard-linter' lint_dashboards
  else
    unavailable 'best practices, dashboard-linter' dashboard-linter 'the module proxy refuses its module'
  fi
}
