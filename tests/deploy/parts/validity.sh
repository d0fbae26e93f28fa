# Kubernetes validity and the Pod Security Standard of everything rendered.
# shellcheck shell=bash

# validate_against VERSION PATH…: with the schemas of Kubernetes' own module where tools.sh has fetched them, else with
# those the tool carries.
validate_against() {
  local -a schemas=(--version "$1")
  [[ ! -d $TOOLS/schemas/$1 ]] || schemas=(--version 1.30 --local-schemas "$TOOLS/schemas/$1")
  shift
  "$(tool kubectl-validate)" "${schemas[@]}" --local-crds "$TOOLS/crds" "$@"
}

validate_rendered() {
  rm -rf "$SCRATCH/validate" && mkdir -p "$SCRATCH/validate"
  cp "$SCRATCH"/rendered/*-"$1".0.yaml "$SCRATCH/validate/"
  validate_against "$1" "$SCRATCH/validate"
}

# Resources of a whole pod came with 1.32: the schemas are those of the version that was asked for.
schemas_differ() {
  printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  resources: {limits: {memory: 1Mi}}\n  containers: [{name: a, image: a}]\n' \
    >"$SCRATCH/pod-resources.yaml"
  validate_against 1.35 "$SCRATCH/pod-resources.yaml" || return 1
  ! validate_against 1.31 "$SCRATCH/pod-resources.yaml"
}

# newer_schemas VERSION: those of 1.27 are part of the tool.
newer_schemas() { [[ $1 == 1.27 || -d $TOOLS/schemas/$1 ]]; }

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
    for version in "${KUBE_VERSIONS[@]%.0}"; do
      if newer_schemas "$version"; then
        check "kubectl-validate, Kubernetes $version" validate_rendered "$version"
        check "kubectl-validate finds a misspelt field, Kubernetes $version" finds_misspelt_field validate_against "$version"
      else
        skip "kubectl-validate, Kubernetes $version" "its schemas"
      fi
    done
    if newer_schemas 1.31 && newer_schemas 1.35; then check 'a field of a newer Kubernetes is known there only' schemas_differ; fi
  fi
  if need 'typed round trip' kubectl; then
    check 'typed round trip finds no lost field' "$PYTHON" "$HERE/checks/round_trip.py" "$SCRATCH"/rendered/*-1.31.0.yaml
  fi
  if tool kube-linter >/dev/null; then
    check 'best practices, kube-linter' "$(tool kube-linter)" lint "$SCRATCH/rendered"
  else
    unavailable 'best practices, kube-linter' kube-linter 'the module proxy refuses its module'
  fi
}
