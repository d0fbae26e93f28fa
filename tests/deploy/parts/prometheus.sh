# A real Prometheus scrapes the rendered chart through the rendered monitor's settings: metrics, rules, every panel, alerts.
# shellcheck shell=bash

PANEL_SECONDS=${EQUINOX_PANEL_SECONDS:-45}

start_prometheus() {
  PROM=127.0.0.1:$(free_port)
  local folder=$SCRATCH/prometheus
  mkdir -p "$folder/data"
  # The hold times are the only thing changed: a test cannot wait two minutes for each alert.
  sed -E 's/^( +for:) .*/\1 1s/' "$CHART/files/rules/equinox.rules.yaml" >"$folder/rules.yaml"
  "$PYTHON" "$HERE/checks/scrape_config.py" "$SCRATCH/monitored.yaml" "127.0.0.1:$OPS" "$folder/rules.yaml" >"$folder/prometheus.yml"
  promtool check config "$folder/prometheus.yml" || return 1
  prometheus --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/data" --web.listen-address="$PROM" \
    --enable-feature=exemplar-storage >"$folder/log" 2>&1 &
  at_exit kill $!
  wait_for 30 target_is_up || { tail -n 5 "$folder/log"; curl -s "http://$PROM/api/v1/targets"; return 1; }
}

target_is_up() { curl -s "http://$PROM/api/v1/targets" | jq -e '.data.activeTargets | length == 1 and .[0].health == "up"'; }
rules_are_loaded() {
  wait_for 15 eval "curl -s 'http://$PROM/api/v1/rules' | jq -e '[.data.groups[].rules[] | select(.health == \"ok\")] | length >= 25'"
}

mixed_traffic() { "$PYTHON" "$HERE/clients/mixed_traffic.py" "127.0.0.1:$HTTP" "127.0.0.1:$HTTPS" "${1:-$PANEL_SECONDS}"; }

metrics_are_well_formed() { curl -s "http://127.0.0.1:$OPS/metrics" | promtool check metrics; }

every_panel_answers() { "$PYTHON" "$HERE/checks/panels.py" "http://$PROM"; }

autoscaling_queries_answer() { "$PYTHON" "$HERE/checks/panels.py" "http://$PROM" --adapter; }

exported_names_match() { curl -s "http://127.0.0.1:$OPS/metrics" | "$PYTHON" "$HERE/checks/exported.py"; }

down_fires() {
  # A stop by hand: what merely ends is started again by the pod's restart policy.
  podman stop -t 2 "$POD_CONTAINER" >/dev/null
  wait_for 45 eval "curl -s 'http://$PROM/api/v1/alerts' | jq -e '.data.alerts[] | select(.labels.alertname == \"EquinoxDown\" and .state == \"firing\")'" ||
    { curl -s "http://$PROM/api/v1/alerts"; return 1; }
}

part_prometheus() {
  need_image 'a real scrape' || return 0
  need 'a real scrape' prometheus promtool curl jq openssl nghttp || return 0
  need_module 'a real scrape' h2 python3-h2 || return 0
  need_tool 'a real scrape' helm || return 0
  render "$HERE/monitored-values.yaml" 1.31.0 >"$SCRATCH/monitored.yaml"
  check 'the monitored example runs' play monitored "$SCRATCH/monitored.yaml"
  check 'it is ready' wait_for 20 answers 200 "http://127.0.0.1:$OPS/readyz"
  check 'promtool check metrics' metrics_are_well_formed
  check 'exported names are those of docs/metrics.md' exported_names_match
  check 'Prometheus scrapes it as the monitor says' start_prometheus
  check 'every rule evaluates' rules_are_loaded
  check "mixed traffic for $PANEL_SECONDS s" mixed_traffic
  check 'every panel returns data' every_panel_answers
  check 'the autoscaling queries return one value for each instance' autoscaling_queries_answer
  check 'a dead server fires EquinoxDown' down_fires
  unplay
}
