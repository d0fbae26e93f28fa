# Names used outside the server are names it exports.
# shellcheck shell=bash

part_metrics() {
  check 'every metric in rules, dashboards and autoscaling is exported' "$PYTHON" "$HERE/checks/metric_names.py"
}
