# Rendering: every example for three Kubernetes versions, twice the same, equal to the golden files.
# shellcheck shell=bash

KUBE_VERSIONS=(1.27.0 1.31.0 1.35.0)

render() { "$(tool helm)" template web "$CHART" --namespace web --kube-version "$2" -f "$1"; }

render_all() {
  local file version name
  mkdir -p "$SCRATCH/rendered"
  for file in "$CHART"/ci/*-values.yaml; do
    name=$(basename "$file" -values.yaml)
    for version in "${KUBE_VERSIONS[@]}"; do
      render "$file" "$version" >"$SCRATCH/rendered/$name-$version.yaml" || return 1
    done
  done
}

# ensure_rendered: other parts use the same files.
ensure_rendered() { [[ -d $SCRATCH/rendered ]] || render_all; }

renders_the_same() {
  local file
  for file in "$CHART"/ci/*-values.yaml; do
    diff -u "$SCRATCH/rendered/$(basename "$file" -values.yaml)-1.31.0.yaml" <(render "$file" 1.31.0) || return 1
  done
}

golden_matches() {
  if [[ ${EQUINOX_GOLDEN:-} == write ]]; then
    mkdir -p "$HERE/golden"
    cp "$SCRATCH/rendered/$1-1.31.0.yaml" "$HERE/golden/$1.yaml"
  fi
  diff -u "$HERE/golden/$1.yaml" "$SCRATCH/rendered/$1-1.31.0.yaml"
}

dashboards_fit() {
  local size
  while read -r size; do ((size < 1048576)) || return 1; done < <(stat -c %s "$CHART"/files/dashboards/*.json)
}

threshold_is_replaced() {
  "$(tool helm)" template web "$CHART" --kube-version 1.31.0 -f "$CHART/ci/production-values.yaml" -s templates/prometheusrule.yaml >"$SCRATCH/rule.yaml"
  grep -q '> 0.25 and' "$SCRATCH/rule.yaml" && ! grep -q 'EquinoxHttp2Abuse' "$SCRATCH/rule.yaml" &&
    grep -q 'runbook_url: https://runbooks.example.com/equinox/EquinoxDown.md' "$SCRATCH/rule.yaml"
}

# The rules inside a PrometheusRule are still rules.
rendered_rules_are_valid() {
  "$PYTHON" -c 'import sys, yaml; print(yaml.safe_dump(yaml.safe_load(sys.stdin)["spec"]))' <"$SCRATCH/rule.yaml" >"$SCRATCH/rule-groups.yaml"
  promtool check rules "$SCRATCH/rule-groups.yaml"
}

# One second less than the sum, with a hook that drains and without one.
rendered_check_finds_a_short_grace() {
  local example grace
  for example in 'existing-config 59' 'default 34'; do
    read -r example grace <<<"$example"
    sed "s/terminationGracePeriodSeconds: .*/terminationGracePeriodSeconds: $grace/" "$SCRATCH/rendered/$example-1.31.0.yaml" >"$SCRATCH/short-grace.yaml"
    ! "$PYTHON" "$HERE/checks/rendered.py" "$SCRATCH/short-grace.yaml" >"$SCRATCH/short-grace.out" || return 1
    grep -F "grace $grace s is below $((grace + 1)) s" "$SCRATCH/short-grace.out" || return 1
  done
}

part_templates() {
  need_tool 'rendering' helm || return 0
  check 'every example renders for 1.27, 1.31 and 1.35' render_all
  check 'rendering twice gives the same' renders_the_same
  local name
  for name in default production; do check "golden file: $name" golden_matches "$name"; done
  check 'names, selectors, ports, volumes and drain of what was rendered' "$PYTHON" "$HERE/checks/rendered.py" "$SCRATCH"/rendered/*.yaml
  check 'that check finds a grace that is a second too short' rendered_check_finds_a_short_grace
  check 'thresholds, disabled alerts and the runbook address reach the rules' threshold_is_replaced
  if need 'rendered rules' promtool; then check 'the rendered rules are valid' rendered_rules_are_valid; fi
  check 'each dashboard fits into a ConfigMap' dashboards_fit
}
