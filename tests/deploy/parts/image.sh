# The image: what is in it, and that it runs without any privilege.
# shellcheck shell=bash

inspect_image() { podman image inspect "$IMAGE" --format "$1"; }
image_says() { [[ $(inspect_image "$1") == "$2" ]] || { inspect_image "$1"; return 1; }; }

health_check_is_exec() {
  podman image inspect "$IMAGE" | jq -e '.[0] | (.HealthCheck // .Healthcheck // .Config.Healthcheck).Test[0:2] == ["CMD", "/usr/bin/equinox"]'
}

export_image() {
  local id
  id=$(podman create "$IMAGE")
  podman export "$id" -o "$SCRATCH/image.tar"
  podman rm "$id" >/dev/null
  tar -tvf "$SCRATCH/image.tar" --numeric-owner >"$SCRATCH/image.files"
}

label_of() { inspect_image "{{index .Labels \"org.opencontainers.image.$1\"}}"; }
labels_are_there() {
  local label
  for label in "$@"; do
    podman image inspect "$IMAGE" | jq -e --arg key "org.opencontainers.image.$label" '.[0].Labels | has($key)' || return 1
  done
}
names_its_base() { [[ $(label_of base.digest) == "$(podman image inspect "$(label_of base.name)" --format '{{.Digest}}')" ]]; }

has_no_shell() { ! grep -E ' (usr/)?s?bin/(ba|da|z|c|k|a)?sh( |$)| (usr/)?s?bin/busybox' "$SCRATCH/image.files"; }
has_no_setuid() { ! grep -E '^-..[sS]|^-.....[sS]' "$SCRATCH/image.files"; }
only_binary_is_equinox() { [[ $(awk '/^-/ && $6 ~ /^(usr\/)?s?bin\// {print $6}' "$SCRATCH/image.files") == usr/bin/equinox ]]; }
# The engine adds its own mount points to an export.
has_no_writable_path() { ! grep -E '^[-d].......w|^[-d]....w|  *65532/' "$SCRATCH/image.files" | grep -vE ' (dev|proc|sys|run|etc/(hosts|hostname|resolv.conf|mtab))/?'; }
fits_budget() {
  local size
  size=$(awk '/^-/ {sum += $3} END {print sum}' "$SCRATCH/image.files")
  echo "$size bytes"
  ((size <= 25000000))
}

sbom_is_complete() {
  tar -xOf "$SCRATCH/image.tar" usr/share/doc/equinox/sbom.spdx.json >"$SCRATCH/sbom.json"
  "$PYTHON" "$HERE/checks/sbom.py" "$SCRATCH/sbom.json" "$BINARY"
}

runs_hardened() {
  local traffic ops admin
  traffic=$(free_port) ops=$(free_port) admin=$(free_port)
  start_container "equinox-image-$$" -- serve --listen "127.0.0.1:$traffic" --ops "127.0.0.1:$ops" --admin "127.0.0.1:$admin"
  wait_for 15 answers 200 "http://127.0.0.1:$ops/readyz" || { podman logs "equinox-image-$$"; return 1; }
  answers 200 "http://127.0.0.1:$traffic/" && runs_restricted "$(container_pid "equinox-image-$$")"
}

probe_agrees() {
  podman exec "equinox-image-$$" /usr/bin/equinox probe "$(podman inspect "equinox-image-$$" --format '{{range .Args}}{{println .}}{{end}}' | awk '/--ops/ {getline; print "http://" $0 "/livez"}')"
}

stops_cleanly() {
  podman stop -t 20 "equinox-image-$$" >/dev/null
  [[ $(podman inspect "equinox-image-$$" --format '{{.State.ExitCode}}') == 0 ]]
}

# The protocol suite against the container, every case; e2e runs it against the binary.
conforms() {
  local port
  port=$(podman inspect "equinox-image-$$" --format '{{range .Args}}{{println .}}{{end}}' | awk '/--listen/ {getline; sub(/.*:/, ""); print}')
  "$(tool h2spec)" -S -h 127.0.0.1 -p "$port"
}

part_image() {
  need_image 'image' || return 0
  pass 'the image builds'
  check 'it can be listed' export_image
  check 'numeric user' image_says '{{.Config.User}}' 65532:65532
  check 'stop signal' image_says '{{.Config.StopSignal}}' SIGTERM
  check 'entry point in exec form' image_says '{{json .Config.Entrypoint}}' '["/usr/bin/equinox"]'
  check 'health check without a shell' health_check_is_exec
  check 'exposed ports' image_says '{{len .Config.ExposedPorts}}' 3
  local label
  for label in title description version revision created licenses base.name base.digest; do
    check "label $label" test -n "$(label_of "$label")"
  done
  check 'addresses are labels that whoever builds it fills' labels_are_there source documentation
  check 'the base is the one whose digest it names' names_its_base
  check 'no shell' has_no_shell
  check 'no setuid file' has_no_setuid
  check 'no other program' only_binary_is_equinox
  check 'no writable path' has_no_writable_path
  check 'at most 25 MB' fits_budget
  check 'the SBOM names every package that ldd needs' sbom_is_complete
  check 'it runs with a read-only root and no privilege' runs_hardened
  check 'equinox probe works inside' probe_agrees
  if need_tool 'h2spec against the container' h2spec; then check 'h2spec against the container' conforms; fi
  check 'it stops with status 0' stops_cleanly
}
