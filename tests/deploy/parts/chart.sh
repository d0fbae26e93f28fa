# The rendered chart runs: podman play kube with the chart's own security context; the harness probes as a kubelet would.
# shellcheck shell=bash

secret_yaml() {
  local name=$1 file
  shift
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ndata:\n' "$name"
  for file in "$@"; do printf '  %s: %s\n' "${file%%=*}" "$(base64 -w0 <"${file#*=}")"; done
}

make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$2" \
    -addext "subjectAltName=DNS:$2,IP:127.0.0.1" -keyout "$1/tls.key" -out "$1/tls.crt" 2>/dev/null
}

# What a cluster would have besides the chart.
surroundings() {
  local folder=$SCRATCH/surroundings
  if [[ ! -d $folder ]]; then
    mkdir -p "$folder"
    make_certificate "$folder" www.example.com
    "$BINARY" token --role admin --name test >"$folder/token.out"
    "$PYTHON" "$HERE/checks/tokens_file.py" <"$folder/token.out" >"$folder/tokens.json"
  fi
  local name
  for name in equinox-tls web-equinox-tls; do secret_yaml "$name" tls.crt="$folder/tls.crt" tls.key="$folder/tls.key"; done
  secret_yaml equinox-tokens tokens.json="$folder/tokens.json"
  jq -n '{listeners: [{name: "http", address: "0.0.0.0:8080"}], routes: [{path: "/api/status", status: {}}]}' >"$folder/my-config.json"
  secret_yaml my-config equinox.json="$folder/my-config.json"
  jq '{apiVersion: "v1", kind: "ConfigMap", metadata: {name: "my-config-map"}, data: {"equinox.json": tojson}}' "$folder/my-config.json" | sed '1i ---'
  printf -- '---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: website-files\nspec:\n  accessModes: [ReadOnlyMany]\n'
  printf -- '  resources:\n    requests:\n      storage: 1Mi\n'
  printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: website\ndata:\n  index.html: "<h1>content</h1>"\n'
}

# play NAME RENDERED: starts it; sets HTTP, HTTPS, OPS to the host's ports and POD_CONTAINER to the container.
play() {
  HTTP=$(free_port) HTTPS=$(free_port) OPS=$(free_port)
  PLAYED=$SCRATCH/played-$1.yaml
  { cat "$2"; surroundings; } | "$PYTHON" "$HERE/checks/playable.py" "$IMAGE" "http=$HTTP" "https=$HTTPS" "ops=$OPS" >"$PLAYED"
  at_exit podman volume rm -f website-files
  at_exit podman play kube --down "$PLAYED"
  play_kube || { cat "$SCRATCH/play.log"; return 1; }
  POD_CONTAINER=$(podman ps --format '{{.Names}}' | grep -- '-pod-.*equinox$' | head -n 1)
  [[ -n $POD_CONTAINER ]] || { echo 'no container runs'; podman ps -a; return 1; }
}

# podman 4.3 now and then fails to remove an init container that has just ended: once more then, and only then.
play_kube() {
  local attempt
  for attempt in 1 2 3 4; do
    podman play kube "$PLAYED" >"$SCRATCH/play.log" 2>&1 && return 0
    grep -q 'failed to remove once init container' "$SCRATCH/play.log" || return 1
    echo "attempt $attempt hit podman's race" >&2
    podman play kube --down "$PLAYED" >/dev/null 2>&1 || true
  done
  return 1
}

unplay() {
  podman play kube --down "$PLAYED" >/dev/null 2>&1 || true
  podman volume rm -f website-files >/dev/null 2>&1 || true
}

# Requests without a break while the pod is told to stop as a kubelet does it, hook and all, within its grace; prints what failed.
drains_under_load() {
  local failed=$SCRATCH/drain.failed grace began
  grace=$(awk '/terminationGracePeriodSeconds:/ {print $2}' "$SCRATCH/to-play.yaml")
  : >"$failed"
  "$PYTHON" "$HERE/clients/drain_client.py" "127.0.0.1:$HTTP" "$(readiness_over_the_network)" >"$failed" 2>&1 &
  local client=$!
  wait_for 10 grep -q running "$failed" || { cat "$failed"; return 1; }
  began=$SECONDS
  if grep -q 'equinox", "drain"' "$SCRATCH/to-play.yaml"; then its_hook_drains || return 1; fi
  podman kill --signal TERM "$POD_CONTAINER" >/dev/null
  wait_for 3 is_not_ready || { echo 'readiness did not fall'; return 1; }
  wait "$client" || { cat "$failed"; return 1; }
  wait_for "$grace" container_has_ended "$POD_CONTAINER" || { echo 'it did not end'; return 1; }
  [[ $(podman inspect "$POD_CONTAINER" --format '{{.State.ExitCode}}') == 0 ]] || { echo 'another exit status than 0'; return 1; }
  echo "drained in $((SECONDS - began)) s of $grace"
  ((SECONDS - began < grace))
}

is_not_ready() {
  if grep -q 'port: ops' "$SCRATCH/to-play.yaml"; then answers 503 "http://127.0.0.1:$OPS/readyz"; else ! probes readyz; fi
}

# What the client asks; "-" where the ops port stays in the pod.
readiness_over_the_network() { if grep -q 'port: ops' "$SCRATCH/to-play.yaml"; then echo "127.0.0.1:$OPS"; else echo -; fi; }

container_has_ended() { [[ $(podman inspect "$1" --format '{{.State.Running}}') == false ]]; }

# probes PATH: as the kubelet does: over the network, or by a command where the ops port stays in the pod.
probes() {
  if grep -q 'port: ops' "$SCRATCH/to-play.yaml"; then
    answers 200 "http://127.0.0.1:$OPS/$1"
  else
    podman exec "$POD_CONTAINER" /usr/bin/equinox probe "http://127.0.0.1:9180/$1"
  fi
}

serves() {
  wait_for 20 probes readyz || { podman logs "$POD_CONTAINER"; return 1; }
  probes livez || { echo 'not alive'; return 1; }
  answers 200 "http://127.0.0.1:$HTTP/api/status" || { echo "HTTP/1.1: $(status_of "http://127.0.0.1:$HTTP/api/status")"; return 1; }
  [[ $(curl -s -o /dev/null -m 5 --http2-prior-knowledge -w '%{http_version} %{http_code}' "http://127.0.0.1:$HTTP/api/status") == '2 200' ]] || { echo 'no HTTP/2'; return 1; }
  ! curl -s "http://127.0.0.1:$HTTP/metrics" | grep '^equinox_' >/dev/null || { echo 'metrics are on the traffic port'; return 1; }
  probes metrics || { echo 'no metrics'; return 1; }
  runs_restricted "$(container_pid "$POD_CONTAINER")"
}

serves_tls() {
  [[ $(curl -s -k -o /dev/null -m 5 -w '%{http_version} %{http_code}' "https://127.0.0.1:$HTTPS/api/status") == '2 200' ]]
}

# The chart's own test: what `helm test` would run in the cluster.
passes_its_own_test() {
  "$PYTHON" "$HERE/checks/smoke.py" "$SCRATCH/to-play.yaml" "http=$HTTP" "https=$HTTPS" "ops=$OPS" -- \
    podman run --rm --network host "${HARDENED[@]}" "$IMAGE"
}

# The preStop command, as the kubelet runs it before SIGTERM.
its_hook_drains() {
  podman exec "$POD_CONTAINER" /usr/bin/equinox drain --wait --timeout 30s --admin 127.0.0.1:9181 || return 1
  ! probes readyz || { echo 'still ready'; return 1; }
}

has_no_admin_surface() {
  local answer
  ! answer=$(podman exec "$POD_CONTAINER" /usr/bin/equinox conns 2>&1) || { echo "admin answers: $answer"; return 1; }
  [[ $answer == *9181* ]] || { echo "another reason: $answer"; return 1; }
}

play_example() {
  local name=$1
  render "$CHART/ci/$name-values.yaml" 1.31.0 >"$SCRATCH/to-play.yaml"
  play "$name" "$SCRATCH/to-play.yaml" && serves || return 1
  if grep -q 'name: https' "$SCRATCH/to-play.yaml"; then serves_tls || { echo 'no TLS'; return 1; }; fi
  if grep -q 'helm.sh/hook: test' "$SCRATCH/to-play.yaml"; then passes_its_own_test || return 1; fi
  if grep -q -e '--admin=off' "$SCRATCH/to-play.yaml"; then has_no_admin_surface || return 1; fi
}

play_overlay() {
  kubectl kustomize "$ROOT/deploy/kustomize/overlays/minimal" >"$SCRATCH/to-play.yaml"
  play overlay "$SCRATCH/to-play.yaml" && serves
}

part_chart() {
  need_image 'the rendered chart runs' || return 0
  need 'the rendered chart runs' curl openssl || return 0
  local file name
  if need 'the minimal overlay runs' kubectl; then
    check 'the minimal overlay runs, restricted' play_overlay
    check 'it drains under load and ends with status 0' drains_under_load
    unplay
  fi
  need_tool 'examples of the chart run' helm || return 0
  for file in "$CHART"/ci/*-values.yaml; do
    name=$(basename "$file" -values.yaml)
    check "example $name runs, restricted" play_example "$name"
    check "example $name drains under load and ends with status 0" drains_under_load
    unplay
  done
}
