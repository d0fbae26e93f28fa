# The compose demo comes up: Equinox answers, Prometheus scrapes it and has loaded the rules.
# shellcheck shell=bash

build_prometheus_image() {
  local folder=$SCRATCH/prometheus-image
  mkdir -p "$folder"
  cp "$(command -v prometheus)" "$folder/"
  printf 'FROM %s\nCOPY prometheus /usr/bin/prometheus\nUSER 65532:65532\nENTRYPOINT ["/usr/bin/prometheus"]\n' "$(base_tag)" >"$folder/Dockerfile"
  buildah bud --quiet --isolation chroot --format docker -t localhost/equinox-prometheus:ci "$folder"
}

compose() {
  (cd "$SCRATCH/deploy/compose" && podman-compose -p "equinox$$" -f compose.yaml -f compose.ci.yaml "$@")
}

compose_up() {
  mkdir -p "$SCRATCH/deploy/helm/equinox"
  cp -r "$ROOT/deploy/compose" "$SCRATCH/deploy/"
  cp -r "$CHART/files" "$SCRATCH/deploy/helm/equinox/"
  chmod 755 "$SCRATCH" "$SCRATCH/deploy"
  EQUINOX_HTTP_PORT=$(free_port) EQUINOX_OPS_PORT=$(free_port) EQUINOX_ADMIN_PORT=$(free_port) PROMETHEUS_PORT=$(free_port)
  export EQUINOX_HTTP_PORT EQUINOX_OPS_PORT EQUINOX_ADMIN_PORT PROMETHEUS_PORT
  ENGINE=podman EQUINOX_IMAGE=$IMAGE "$SCRATCH/deploy/compose/prepare.sh" || return 1
  at_exit compose down -t 1
  compose up -d equinox prometheus || return 1
  wait_for 30 answers 200 "http://127.0.0.1:$EQUINOX_OPS_PORT/readyz" || { compose logs; return 1; }
}

compose_serves() { answers 200 "http://127.0.0.1:$EQUINOX_HTTP_PORT/"; }
dashboard_asks_for_a_token() {
  answers 401 "http://127.0.0.1:$EQUINOX_ADMIN_PORT/admin/api/v1/status" || { status_of "http://127.0.0.1:$EQUINOX_ADMIN_PORT/admin/api/v1/status"; return 1; }
}

target_is_healthy() {
  wait_for 40 eval "curl -s http://127.0.0.1:$PROMETHEUS_PORT/api/v1/targets | jq -e '.data.activeTargets | length == 1 and .[0].health == \"up\"'"
}
rules_loaded() { curl -s "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/rules" | jq -e '[.data.groups[].rules[]] | length >= 25'; }

# The load generator, on the local base: podman-compose 1.0 hands build arguments on, but cannot be told to isolate.
load_image_builds() {
  buildah bud --quiet --isolation chroot --format docker --build-arg BASE="$(base_tag)" -t localhost/equinox-load "$ROOT/deploy/compose/load"
}

rate() {
  curl -s "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query" --data-urlencode \
    'query=sum(rate(http_server_request_duration_seconds_count[30s]))' | jq -r '.data.result[0].value[1] // "0"'
}
load_arrives() { jq -en --arg rate "$(rate)" '($rate | tonumber) > 10'; }
load_is_measured() {
  compose up -d load || return 1
  wait_for 60 load_arrives || { echo "$(rate) a second"; compose logs; return 1; }
}

part_compose() {
  need_image 'the compose demo' || return 0
  need 'the compose demo' podman-compose prometheus curl jq || return 0
  check 'Prometheus from the package as an image' build_prometheus_image
  check 'it comes up' compose_up
  check 'Equinox serves' compose_serves
  check 'the dashboard asks for a token' dashboard_asks_for_a_token
  check 'Prometheus scrapes Equinox' target_is_healthy
  check 'Prometheus has loaded the rules' rules_loaded
  check 'the load generator builds' load_image_builds
  check 'its load arrives and is measured' load_is_measured
  compose down -t 1 >/dev/null 2>&1 || true
}
