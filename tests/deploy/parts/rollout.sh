# Loss-free rollouts: two generations behind a proxy that neither retries nor redispatches, health-checked on /readyz as
# a Service is. The old one gets SIGTERM while the new one takes over; nothing may fail.
# shellcheck shell=bash

ROLLOUTS=${EQUINOX_ROLLOUTS:-20}

write_proxy_config() {
  cat >"$SCRATCH/haproxy.cfg" <<CFG
global
  maxconn 2000
  log stdout format raw local0
  stats socket $SCRATCH/haproxy.sock mode 600
defaults
  mode http
  log global
  option httplog
  # Only what went wrong is worth a line.
  option dontlog-normal
  timeout connect 2s
  timeout check 2s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
  retries 0
  no option redispatch
frontend one
  bind 127.0.0.1:$PROXY1
  default_backend http1
frontend two
  bind 127.0.0.1:$PROXY2 proto h2
  default_backend http2
backend http1
  option httpchk GET /readyz
  http-reuse safe
  default-server check inter 300ms fastinter 300ms downinter 300ms rise 1 fall 1
  server blue 127.0.0.1:$BLUE port $BLUE_OPS
  server green 127.0.0.1:$GREEN port $GREEN_OPS
backend http2
  option httpchk GET /readyz
  http-reuse safe
  default-server check inter 300ms fastinter 300ms downinter 300ms rise 1 fall 1
  server blue 127.0.0.1:$BLUE port $BLUE_OPS check-proto h1 proto h2
  server green 127.0.0.1:$GREEN port $GREEN_OPS check-proto h1 proto h2
CFG
}

# start_generation COLOUR TRAFFIC OPS: the image as a pod would run it, with the chart's own drain.
start_generation() {
  podman rm -f -t 0 "equinox-$1-$$" >/dev/null 2>&1 || true
  podman run -d --name "equinox-$1-$$" --network host "${HARDENED[@]}" "$IMAGE" serve --listen "127.0.0.1:$2" --ops "127.0.0.1:$3" \
    --admin "127.0.0.1:$(free_port)" --drain-delay 5s --drain-timeout 25s >/dev/null
  at_exit podman rm -f -t 0 "equinox-$1-$$"
  wait_for 15 answers 200 "http://127.0.0.1:$3/readyz"
}

proxy_sees() { [[ $(proxy_states | grep -c "^http[12],$1,UP") == 2 ]]; }
proxy_is_settled() { proxy_sees blue && [[ $(proxy_states | grep -c '^http[12],green,DOWN') == 2 ]]; }
proxy_states() { "$PYTHON" "$HERE/checks/proxy_states.py" "$SCRATCH/haproxy.sock"; }

# roll OLD NEW TRAFFIC OPS: what a Deployment does: new one ready, then the old one stops.
roll() {
  start_generation "$2" "$3" "$4" || return 1
  wait_for 10 proxy_sees "$2" || { proxy_states; return 1; }
  podman kill --signal TERM "equinox-$1-$$" >/dev/null
  wait_for 40 container_has_ended "equinox-$1-$$" || { echo "$1 did not end"; return 1; }
  [[ $(podman inspect "equinox-$1-$$" --format '{{.State.ExitCode}}') == 0 ]] || { echo "$1 ended with another status"; return 1; }
}

start_rollout() {
  PROXY1=$(free_port) PROXY2=$(free_port) BLUE=$(free_port) BLUE_OPS=$(free_port) GREEN=$(free_port) GREEN_OPS=$(free_port)
  write_proxy_config
  start_generation blue "$BLUE" "$BLUE_OPS" || return 1
  haproxy -f "$SCRATCH/haproxy.cfg" -db >"$SCRATCH/haproxy.log" 2>&1 &
  at_exit kill $!
  wait_for 10 answers 200 "http://127.0.0.1:$PROXY1/api/status" || { cat "$SCRATCH/haproxy.log"; return 1; }
  # Until its first check the proxy believes in a server that is not there yet.
  wait_for 10 proxy_is_settled || { proxy_states; return 1; }
  "$PYTHON" "$HERE/clients/rollout_client.py" "127.0.0.1:$PROXY1" "127.0.0.1:$PROXY2" "$SCRATCH/rollout.json" >"$SCRATCH/client.log" 2>&1 &
  CLIENT=$!
  at_exit kill "$CLIENT"
}

roll_many() {
  local round
  for ((round = 1; round <= ROLLOUTS; round++)); do
    if ((round % 2)); then roll blue green "$GREEN" "$GREEN_OPS"; else roll green blue "$BLUE" "$BLUE_OPS"; fi || { echo "rollout $round"; return 1; }
  done
}

nothing_failed() {
  kill -TERM "$CLIENT"
  wait_for 10 test -s "$SCRATCH/rollout.json" || { cat "$SCRATCH/client.log"; return 1; }
  jq -c '{requests, by_kind, per_second, failed: (.failed | length), first: .failed[:5]}' "$SCRATCH/rollout.json"
  grep -vE ' 200 |Server|Proxy' "$SCRATCH/haproxy.log" | head -n 5
  jq -e '(.failed | length) == 0 and .per_second >= 200 and .by_kind.http2 > 0 and .by_kind.pausing > 0' "$SCRATCH/rollout.json" >/dev/null
}

part_rollout() {
  need_image 'rollouts' || return 0
  need 'rollouts' haproxy curl jq || return 0
  need_module 'rollouts' h2 python3-h2 || return 0
  check 'the first generation and the proxy run' start_rollout
  check "$ROLLOUTS rollouts" roll_many
  check 'no request failed, at 200 a second or more' nothing_failed
}
