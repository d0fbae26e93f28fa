#!/usr/bin/env bash
# Writes everything in base, components and overlays that comes from the chart. Needs helm; --check only compares.
set -euo pipefail

HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
CHART=$(readlink -f "$HERE/../helm/equinox")
HELM=${HELM:-helm}
TARGET=$HERE
if [[ ${1:-} == --check ]]; then
  TARGET=$(mktemp -d)
  trap 'rm -rf "$TARGET"' EXIT
fi

# render FOLDER OPTIONS…: the chart with the base's values and these, one object a file.
render() {
  local folder=$TARGET/$1
  shift
  mkdir -p "$folder"
  "$HELM" template equinox "$CHART" --namespace equinox --kube-version 1.31.0 --api-versions monitoring.coreos.com/v1 \
    -f "$CHART/ci/kustomize-values.yaml" "$@" | /usr/bin/python3 "$HERE/split.py" "$folder"
}

render base
render overlays/production -s templates/pdb.yaml --set podDisruptionBudget.enabled=true
render overlays/tls -s templates/certificate.yaml -s templates/configmap.yaml --set listeners.https.enabled=true \
  --set tls.certManager.enabled=true --set tls.certManager.issuerRef.name=equinox --set 'tls.certManager.dnsNames={www.example.com}'
render components/network-policy -s templates/networkpolicy.yaml --set networkPolicy.enabled=true \
  --set-json 'networkPolicy.ops.from=[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"monitoring"}}}]'
render components/hpa -s templates/hpa.yaml --set autoscaling.enabled=true
render components/gateway -s templates/httproute.yaml --set gateway.httpRoute.enabled=true \
  --set-json 'gateway.httpRoute.parentRefs=[{"name":"public","namespace":"gateways"}]' --set 'gateway.httpRoute.hostnames={www.example.com}'
render components/monitoring -s templates/podmonitor.yaml -s templates/prometheusrule.yaml --set metrics.monitor=podMonitor \
  --set metrics.rules.enabled=true

if [[ ${1:-} == --check ]]; then
  status=0
  while IFS= read -r file; do
    diff -u "$HERE/$file" "$TARGET/$file" || status=1
  done < <(cd "$TARGET" && find . -type f | sort)
  exit "$status"
fi
