# The plain manifests.
# shellcheck shell=bash

OVERLAYS=(minimal production tls)

build_overlays() {
  local overlay
  mkdir -p "$SCRATCH/kustomize"
  for overlay in "${OVERLAYS[@]}"; do
    kubectl kustomize "$ROOT/deploy/kustomize/overlays/$overlay" >"$SCRATCH/kustomize/$overlay.yaml" || return 1
  done
}

# Each optional part on top of the base, as a user adds it.
build_components() {
  local component folder
  for component in network-policy hpa gateway monitoring; do
    folder=$SCRATCH/kustomize-$component
    mkdir -p "$folder"
    cp -r "$ROOT/deploy/kustomize/base" "$ROOT/deploy/kustomize/components" "$folder/"
    printf 'resources: [base]\ncomponents: [components/%s]\n' "$component" >"$folder/kustomization.yaml"
    kubectl kustomize "$folder" >"$SCRATCH/kustomize/with-$component.yaml" || return 1
  done
}

config_change_changes_the_name() {
  local folder=$SCRATCH/kustomize-hash
  cp -r "$ROOT/deploy/kustomize/base" "$folder"
  kubectl kustomize "$folder" | grep -o 'name: equinox-[a-z0-9]*$' | sort -u >"$folder.before"
  jq '.limits.fields = 50' "$ROOT/deploy/kustomize/base/equinox.json" >"$folder/equinox.json"
  kubectl kustomize "$folder" | grep -o 'name: equinox-[a-z0-9]*$' | sort -u >"$folder.after"
  [[ $(wc -l <"$folder.before") == 1 && $(wc -l <"$folder.after") == 1 ]] && ! cmp -s "$folder.before" "$folder.after"
}

namespace_enforces_restricted() {
  grep -q 'pod-security.kubernetes.io/enforce: restricted' "$SCRATCH/kustomize/minimal.yaml"
}

overlay_says() { grep -q "$2" "$SCRATCH/kustomize/$1.yaml"; }

validate_kustomize() { validate_against 1.31 "$SCRATCH/kustomize"; }

part_kustomize() {
  if need_tool 'generated files are current' helm; then
    check 'generated files are current' env HELM="$(tool helm)" "$ROOT/deploy/kustomize/generate.sh" --check
  fi
  need 'kustomize builds' kubectl || return 0
  check 'every overlay builds' build_overlays
  check 'every component builds on the base' build_components
  check 'a changed configuration changes the name of its ConfigMap' config_change_changes_the_name
  check 'the namespace enforces restricted' namespace_enforces_restricted
  check 'minimal has one pod' overlay_says minimal 'replicas: 1'
  check 'production has three pods' overlay_says production 'replicas: 3'
  check 'production spreads hard' overlay_says production 'whenUnsatisfiable: DoNotSchedule'
  check 'tls serves https' overlay_says tls 'targetPort: https'
  check 'Pod Security restricted, own checker' "$PYTHON" "$HERE/checks/pss.py" "$SCRATCH"/kustomize/*.yaml
  check 'names, selectors, ports, volumes and drain' "$PYTHON" "$HERE/checks/rendered.py" "$SCRATCH"/kustomize/{minimal,production,tls}.yaml
  if need_tool 'kubectl-validate on the overlays' kubectl-validate; then check 'kubectl-validate on the overlays' validate_kustomize; fi
  if need_tool 'strict decoding of the overlays' psscheck; then
    check 'strict decoding of the overlays' "$(tool psscheck)" "$SCRATCH"/kustomize/*.yaml
  fi
}
