#!/bin/bash
# Runs inside the booted root. Verdicts go to /results/verdicts, everything printed to /results/log.
exec >/results/log 2>&1
set -x

judge() {
  local name=$1
  shift
  if "$@"; then echo "ok:$name" >>/results/verdicts; else echo "failed:$name" >>/results/verdicts; fi
}

wait_until() {
  local left=$(($1 * 10))
  shift
  until "$@"; do
    left=$((left - 1))
    [[ $left -gt 0 ]] || return 1
    sleep 0.1
  done
}

answers() { [[ $(curl -s -o /dev/null -m 3 -w '%{http_code}' "$1") == 200 ]]; }
metric_is() { curl -s -m 3 http://127.0.0.1:9180/metrics | grep "^$1 $2\$" >/dev/null; }
property() { systemctl show -P "$1" equinox.service; }

starts() { systemctl is-active --wait equinox.service && wait_until 10 answers http://127.0.0.1:9180/readyz && answers http://127.0.0.1:8080/; }

is_hardened() {
  local status
  status=/proc/$(property MainPID)/status
  [[ $(awk '/^Uid:/ {print $2}' "$status") == "$(id -u equinox)" ]] && grep -q 'NoNewPrivs:.*1' "$status" &&
    grep -q 'Seccomp:.*2' "$status" && [[ $(awk '/^CapEff:/ {print $2}' "$status") == 0000000000000000 ]]
}

# In force as soon as systemctl returns: nothing here waits.
answers_now() { [[ $(curl -s -o /dev/null -m 0.5 -w '%{http_code}' "$1") == 200 ]]; }

# A route that was not there before. The server cannot take the signal for a second: who only sends it would be back too soon.
reloads() {
  local server
  server=$(property MainPID)
  ! answers_now http://127.0.0.1:8080/reloaded || return 1
  sed -i '1s|{|{ "routes": [{ "path": "/reloaded", "respond": {} }, { "path": "/*", "welcome": {} }],|' /etc/equinox/equinox.json
  kill -STOP "$server"
  (sleep 1 && kill -CONT "$server") &
  systemctl reload equinox.service && answers_now http://127.0.0.1:8080/reloaded || return 1
  metric_is equinox_config_last_reload_successful 1 && answers http://127.0.0.1:8080/
}

keeps_the_old_after_a_bad_reload() {
  cp /etc/equinox/equinox.json /root/good.json
  echo '{ "nonsense": 1 }' >/etc/equinox/equinox.json
  systemctl reload equinox.service && metric_is equinox_config_last_reload_successful 0 && answers_now http://127.0.0.1:8080/reloaded &&
    [[ $(property StatusText) == *refused* ]]
  local verdict=$?
  cp /root/good.json /etc/equinox/equinox.json
  systemctl reload equinox.service && metric_is equinox_config_last_reload_successful 1 && return "$verdict"
}

restarted() { [[ $(property NRestarts) -ge 1 ]] && answers http://127.0.0.1:9180/readyz; }

watchdog_restarts_it() {
  kill -STOP "$(property MainPID)"
  wait_until 30 restarted
}

load() {
  while [[ -e /run/loading ]]; do
    curl -s -o /dev/null -m 5 http://127.0.0.1:8080/ || echo "curl $?" >>/run/load.failed
  done
}

stops_cleanly_under_load() {
  touch /run/loading
  load &
  sleep 1
  local began=$SECONDS
  systemctl stop equinox.service
  rm -f /run/loading
  wait
  [[ $(property Result) == success && $(property ExecMainStatus) == 0 && $((SECONDS - began)) -lt 35 ]]
}

socket_keeps_the_port_open() {
  rm -f /run/load.failed
  systemctl start equinox.socket || return 1
  answers http://127.0.0.1:8080/ || return 1
  touch /run/loading
  load &
  systemctl restart equinox.service
  sleep 1
  rm -f /run/loading
  wait
  [[ ! -e /run/load.failed ]] || { cat /run/load.failed; return 1; }
}

refuses_a_bad_configuration() {
  systemctl stop equinox.socket equinox.service
  echo '{ "nonsense": 1 }' >/etc/equinox/equinox.json
  ! systemctl start equinox.service && journalctl -u equinox.service --no-pager | grep nonsense >/dev/null
}

judge 'it starts, notifies and serves' starts
judge 'user, capabilities and filter are as written' is_hardened
judge 'systemctl reload returns when the new configuration is in force' reloads
judge 'a bad reload keeps the old configuration' keeps_the_old_after_a_bad_reload
judge 'the watchdog restarts a frozen server' watchdog_restarts_it
judge 'it drains and stops with status 0 under load' stops_cleanly_under_load
judge 'with the socket a restart refuses nobody' socket_keeps_the_port_open
judge 'a bad configuration is refused before the start' refuses_a_bad_configuration
journalctl -u equinox.service --no-pager | tail -n 60
echo finished >/results/done
