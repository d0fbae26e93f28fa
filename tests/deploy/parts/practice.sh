# Best practices as kube-score sees them.
# shellcheck shell=bash

# What kube-score asks for and the chart does otherwise on purpose: a pinned version need not be pulled again, nothing is
# written, and topology spread keeps pods apart.
SCORE_IGNORED=(container-image-pull-policy container-ephemeral-storage-request-and-limit deployment-has-host-podantiaffinity)

score() {
  local name
  local -a options=(--ignore-container-cpu-limit --output-format ci)
  for name in "${SCORE_IGNORED[@]}"; do options+=(--ignore-test "$name"); done
  "$(tool kube-score)" score "${options[@]}" "$1" >"$SCRATCH/score" || { grep -vE '^\[(OK|SKIPPED)\]' "$SCRATCH/score"; return 1; }
}

# The test pod is no server: it has no probes, and no policy stands around it.
scores() {
  "$(tool helm)" template web "$CHART" --namespace web --kube-version 1.31.0 -f "$CHART/ci/production-values.yaml" \
    --set tests.enabled=false >"$SCRATCH/to-score.yaml"
  score "$SCRATCH/to-score.yaml"
}

score_notices_a_missing_limit() {
  sed '/^ *limits:$/,+1d' "$SCRATCH/to-score.yaml" >"$SCRATCH/unlimited.yaml"
  ! score "$SCRATCH/unlimited.yaml"
}

part_practice() {
  need_tool 'best practices, kube-score' helm || return 0
  need_tool 'best practices, kube-score' kube-score || return 0
  check 'best practices, kube-score' scores
  check 'kube-score finds a container without limits' score_notices_a_missing_limit
}
