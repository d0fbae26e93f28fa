# Grafana dashboards, without a server; part prometheus runs every query.
# shellcheck shell=bash

part_dashboards() {
  check 'the generator wrote what is in the chart' "$PYTHON" "$ROOT/deploy/grafana/generate.py" --check
  check 'uid, variables, units, descriptions, layout' "$PYTHON" "$HERE/checks/dashboards.py"
}
