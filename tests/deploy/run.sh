#!/usr/bin/env bash
# Tests of everything under deploy/. run.sh [core|run|full|PART…]; default: core.
#   core  form, schema, templates, validity, rules, dashboards, unit files: no server needed
#   run   image, rendered chart, Prometheus, dashboards, reload, compose: needs the binary and a container engine
#   full  core, run and the slow ones: kube-score, twenty rollouts, image twice, packages, a booted systemd
# Environment: EQUINOX_BINARY, EQUINOX_DEPLOY_STRICT=1 (a missing tool fails), EQUINOX_NO_INSTALL=1, EQUINOX_TOOLS (cache).
set -euo pipefail

HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
ROOT=$(readlink -f "$HERE/../..")
# shellcheck disable=SC2034  # the parts read these
CHART=$ROOT/deploy/helm/equinox
TOOLS=${EQUINOX_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/equinox/tools}
# shellcheck disable=SC2034
BINARY=${EQUINOX_BINARY:-$ROOT/build/release/equinox}
SCRATCH=$(mktemp -d -t equinox-deploy.XXXXXX)
export CONTAINERS_CONF=$HERE/containers.conf

# shellcheck source=lib.sh
source "$HERE/lib.sh"
# shellcheck source=tools.sh
source "$HERE/tools.sh"
# shellcheck source=containers.sh
source "$HERE/containers.sh"
for file in "$HERE"/parts/*.sh; do
  # shellcheck source=/dev/null
  source "$file"
done

CORE_PARTS=(form schema templates validity unittest rules metrics kustomize dashboards systemd docs)
RUN_PARTS=(image chart prometheus reload compose)
FULL_PARTS=(practice rollout reproduce debian boot)

# shellcheck disable=SC2317  # called by the trap
finish() {
  local status=$?
  run_cleanup
  if [[ -n ${EQUINOX_DEPLOY_KEEP:-} ]]; then echo "kept: $SCRATCH"; else rm -rf "$SCRATCH"; fi
  exit "$status"
}
trap finish EXIT

parts_of() {
  case "$1" in
    core) echo "${CORE_PARTS[@]}" ;;
    run) echo "${RUN_PARTS[@]}" ;;
    full) echo "${CORE_PARTS[@]}" "${RUN_PARTS[@]}" "${FULL_PARTS[@]}" ;;
    *) echo "$1" ;;
  esac
}

run_part() {
  PART=$1
  local began=$SECONDS
  if ! declare -F "part_$1" >/dev/null; then
    echo "run.sh: unknown part '$1' (allowed: core run full ${CORE_PARTS[*]} ${RUN_PARTS[*]} ${FULL_PARTS[*]})" >&2
    exit 2
  fi
  "part_$1"
  printf '        %-10s %d s\n' "$1" $((SECONDS - began))
}

main() {
  local group name
  local -a wanted=()
  [[ $# -gt 0 ]] || set -- core
  for group in "$@"; do
    read -r -a names <<<"$(parts_of "$group")"
    wanted+=("${names[@]}")
  done
  PART=tools
  install_packages "$@"
  build_tools "$@"
  for name in "${wanted[@]}"; do run_part "$name"; done
  echo "deploy: $PASSED passed, $FAILED failed, $SKIPPED skipped"
  [[ $FAILED -eq 0 ]]
}

main "$@"
