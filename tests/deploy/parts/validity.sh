# Kubernetes validity and the Pod Security Standard of everything rendered.
# shellcheck shell=bash

# kubectl-validate embeds schemas up to 1.30; newer versions are covered by the strict decoding in psscheck.
VALIDATE_VERSIONS=(1.27 1.30)

validate() {
  local version=$1
  rm -rf "$SCRATCH/validate" && mkdir -p "$SCRATCH/validate"
  cp "$SCRATCH"/rendered/*-"$2".yaml "$SCRATCH/validate/"
  "$(tool kubectl-validate)" --version "$version" --local-crds "$TOOLS/crds" "$SCRATCH/validate"
}

finds_misspelt_field() {
  sed 's/containerPort: 8080/containrPort: 8080/' "$SCRATCH/rendered/default-1.31.0.yaml" >"$SCRATCH/misspelt.yaml"
  ! "$@" "$SCRATCH/misspelt.yaml"
}

every_bad_pod_is_refused() {
  local file
  for file in "$HERE"/bad-pods/*.yaml; do
    if [[ $(basename "$file") == good.yaml ]]; then
      "$(tool psscheck)" "$file" || return 1
    elif "$(tool psscheck)" "$file" >/dev/null; then
      echo "allowed: $file"
      return 1
    fi
  done
}

part_validity() {
  check 'own Pod Security checker: one bad pod for each control' "$PYTHON" "$HERE/checks/pss.py" --self
  need_tool 'rendered manifests' helm || return 0
  ensure_rendered
  check 'Pod Security restricted, own checker' "$PYTHON" "$HERE/checks/pss.py" "$SCRATCH"/rendered/*.yaml
  if need_tool 'Pod Security restricted, upstream evaluator' psscheck; then
    check 'Pod Security restricted, upstream evaluator; strict decoding' "$(tool psscheck)" "$SCRATCH"/rendered/*.yaml
    check 'the upstream evaluator refuses every bad pod' every_bad_pod_is_refused
    check 'strict decoding finds a misspelt field' finds_misspelt_field "$(tool psscheck)"
  fi
  if need_tool 'kubectl-validate' kubectl-validate; then
    local version
    for version in "${VALIDATE_VERSIONS[@]}"; do
      check "kubectl-validate, Kubernetes $version" validate "$version" "$([[ $version == 1.27 ]] && echo 1.27.0 || echo 1.31.0)"
    done
    check 'kubectl-validate finds a misspelt field' finds_misspelt_field "$(tool kubectl-validate)" --version 1.30
  fi
  if need 'typed round trip' kubectl; then
    check 'typed round trip finds no lost field' "$PYTHON" "$HERE/checks/round_trip.py" "$SCRATCH"/rendered/*-1.31.0.yaml
  fi
  if tool kube-linter >/dev/null; then
    check 'kube-linter' "$(tool kube-linter)" lint "$SCRATCH/rendered"
  else
    unavailable 'best-practice lint' kube-linter 'the module proxy refuses its module'
  fi
}
