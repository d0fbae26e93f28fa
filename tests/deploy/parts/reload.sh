# Certificates and configuration swapped as the kubelet does it: a new folder, and a rename of the ..data link.
# shellcheck shell=bash

# swap FOLDER FILE=SOURCE…: an atomic update of a projected volume.
swap() {
  local folder=$1 stamp entry
  shift
  stamp=$(mktemp -d -p "$folder" ..XXXXXX)
  chmod 755 "$stamp"
  for entry in "$@"; do
    install -m 644 "${entry#*=}" "$stamp/${entry%%=*}"
    [[ -L $folder/${entry%%=*} ]] || ln -s "..data/${entry%%=*}" "$folder/${entry%%=*}"
  done
  ln -s "$(basename "$stamp")" "$folder/..data_tmp"
  mv -T "$folder/..data_tmp" "$folder/..data"
}

served_name() {
  openssl s_client -connect "127.0.0.1:$HTTPS" -servername test </dev/null 2>/dev/null | openssl x509 -noout -subject 2>/dev/null
}
serves_name() { served_name | grep "$1" >/dev/null; }

metric() { curl -s "http://127.0.0.1:$OPS/metrics" | awk -v name="$1" '$1 == name {print $2}'; }
metric_is() { [[ $(metric "$1") == "$2" ]]; }

start_reloadable() {
  mkdir -p "$SCRATCH/reload"/{tls,config,first,second}
  chmod 755 "$SCRATCH" "$SCRATCH/reload" "$SCRATCH/reload"/*
  make_certificate "$SCRATCH/reload/first" first.example.com
  make_certificate "$SCRATCH/reload/second" second.example.com
  HTTP=$(free_port) HTTPS=$(free_port) OPS=$(free_port)
  jq -n --arg http "127.0.0.1:$HTTP" --arg https "127.0.0.1:$HTTPS" --arg ops "127.0.0.1:$OPS" '{
    listeners: [{name: "http", address: $http}, {name: "https", address: $https,
      tls: {certificates: [{name: "main", certificate: "/etc/equinox/tls/tls.crt", key: "/etc/equinox/tls/tls.key"}]}}],
    ops: {address: $ops}, admin: {address: "off"}, reload: {config: "watch"}, drain: {delay: "1s", timeout: "5s"},
    routes: [{path: "/api/status", status: {}}, {path: "/*", respond: {code: 200, body: "one"}}]}' >"$SCRATCH/reload/one.json"
  swap "$SCRATCH/reload/tls" tls.crt="$SCRATCH/reload/first/tls.crt" tls.key="$SCRATCH/reload/first/tls.key"
  swap "$SCRATCH/reload/config" equinox.json="$SCRATCH/reload/one.json"
  start_container "equinox-reload-$$" -v "$SCRATCH/reload/tls:/etc/equinox/tls:ro" -v "$SCRATCH/reload/config:/etc/equinox/config:ro" -- \
    serve --config /etc/equinox/config/equinox.json
  wait_for 15 answers 200 "http://127.0.0.1:$OPS/readyz" || { podman logs "equinox-reload-$$"; return 1; }
}

new_certificate_is_served() {
  local status=0
  serves_name first.example.com || { echo "first: $(served_name)"; return 1; }
  "$PYTHON" "$HERE/clients/steady_client.py" "127.0.0.1:$HTTP" 8 >"$SCRATCH/steady.log" 2>&1 &
  local client=$!
  swap "$SCRATCH/reload/tls" tls.crt="$SCRATCH/reload/second/tls.crt" tls.key="$SCRATCH/reload/second/tls.key"
  wait_for 5 serves_name second.example.com || { echo "still: $(served_name)"; status=1; }
  wait "$client" || { cat "$SCRATCH/steady.log"; status=1; }
  return "$status"
}

broken_certificate_keeps_the_old() {
  echo nonsense >"$SCRATCH/reload/broken"
  swap "$SCRATCH/reload/tls" tls.crt="$SCRATCH/reload/broken" tls.key="$SCRATCH/reload/second/tls.key"
  wait_for 10 metric_is equinox_config_last_reload_successful 0 || { echo 'the metric did not tell'; return 1; }
  serves_name second.example.com || { echo "serves $(served_name)"; return 1; }
  swap "$SCRATCH/reload/tls" tls.crt="$SCRATCH/reload/second/tls.crt" tls.key="$SCRATCH/reload/second/tls.key"
  wait_for 10 metric_is equinox_config_last_reload_successful 1
}

body_is() { [[ $(curl -s -m 5 "http://127.0.0.1:$HTTP/") == "$1" ]]; }

new_configuration_is_served() {
  sed 's/"one"/"two"/' "$SCRATCH/reload/one.json" >"$SCRATCH/reload/two.json"
  swap "$SCRATCH/reload/config" equinox.json="$SCRATCH/reload/two.json"
  wait_for 10 body_is two
}

broken_configuration_keeps_the_old() {
  sed 's/"routes"/"rooutes"/' "$SCRATCH/reload/one.json" >"$SCRATCH/reload/three.json"
  swap "$SCRATCH/reload/config" equinox.json="$SCRATCH/reload/three.json"
  wait_for 10 metric_is equinox_config_last_reload_successful 0 && body_is two && answers 200 "http://127.0.0.1:$OPS/readyz" || return 1
  podman logs "equinox-reload-$$" 2>&1 | grep 'rooutes' >/dev/null || { echo 'the log does not name the key'; return 1; }
  swap "$SCRATCH/reload/config" equinox.json="$SCRATCH/reload/two.json"
  wait_for 10 metric_is equinox_config_last_reload_successful 1
}

part_reload() {
  need_image 'reload' || return 0
  need 'reload' openssl curl jq || return 0
  check 'a server with projected folders runs' start_reloadable
  check 'a new certificate is served within 5 s, no request lost' new_certificate_is_served
  check 'a broken certificate keeps the old one and the metric tells' broken_certificate_keeps_the_old
  check 'a new configuration is served' new_configuration_is_served
  check 'a broken configuration keeps the old one and the metric tells' broken_configuration_keeps_the_old
}
