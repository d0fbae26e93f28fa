# Containers: base image, image, running pods; sourced by run.sh.
# shellcheck shell=bash

IMAGE=localhost/equinox:ci
EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$ROOT" log -1 --format=%ct 2>/dev/null || echo 1700000000)}

# need_image TEST: an engine, a binary and the image; builds the image once.
need_image() {
  need "$1" podman buildah skopeo runc mmdebstrap || return 1
  [[ -x $BINARY ]] || { skip "$1" "the binary $BINARY"; return 1; }
  [[ -n ${IMAGE_BUILT:-} ]] && return 0
  if ! { ensure_base && ensure_image; } >"$SCRATCH/image.log" 2>&1; then
    fail "$1: the image does not build" "$SCRATCH/image.log"
    return 1
  fi
  IMAGE_BUILT=1
}

# The same binary and the same recipe give the same image: kept under their hash between runs.
ensure_image() {
  local kept
  kept=localhost/equinox:$(cat "$BINARY" "$ROOT"/deploy/image/* "$ROOT/LICENSE" | sha256sum | cut -c1-12)
  podman image exists "$kept" || build_image "$kept" || return 1
  podman tag "$kept" "$IMAGE"
}

base_tag() { echo "localhost/equinox-base:$(cat "$ROOT"/deploy/image/{build-base.sh,runtime-packages.txt} | sha256sum | cut -c1-12)"; }

# The base is bootstrapped once for each list of packages and kept between runs.
ensure_base() { podman image exists "$(base_tag)" || "$ROOT/deploy/image/build-base.sh" "$(base_tag)"; }

# stage_context FOLDER: what the Dockerfile needs to pack a binary that is already built.
stage_context() {
  rm -rf "$1"
  mkdir -p "$1/deploy" "$1/admin-ui/web"
  cp -r "$ROOT/deploy/image" "$1/deploy/"
  cp "$ROOT/LICENSE" "$1/"
  cp "$ROOT"/admin-ui/web/package*.json "$1/admin-ui/web/" 2>/dev/null || true
  cp "$BINARY" "$1/equinox.prebuilt"
  grep -v '^#' "$ROOT/deploy/image/bundled-sources.txt" | while read -r _ package _; do
    dpkg-query -W -f='${Package} ${Version}\n' "$package" 2>/dev/null || true
  done >"$1/bundled-versions.txt"
}

# build_image TAG: the base is pinned by its digest, as a release does it.
build_image() {
  local context=$SCRATCH/context base digest
  stage_context "$context"
  base=$(base_tag)
  digest=$(podman image inspect "$base" --format '{{.Digest}}') || return 1
  buildah bud --quiet --isolation chroot --network host --format docker --layers=false --timestamp "$EPOCH" \
    --build-arg BUILD_BASE="${base%:*}@$digest" --build-arg UI_BASE="${base%:*}@$digest" --build-arg PREBUILT=equinox.prebuilt --build-arg SOURCE_DATE_EPOCH="$EPOCH" \
    --build-arg REVISION="$(git -C "$ROOT" rev-parse HEAD 2>/dev/null || echo unknown)" \
    --build-arg CREATED="$(date -u -d "@$EPOCH" +%Y-%m-%dT%H:%M:%SZ)" --build-arg BASE_NAME="$base" --build-arg BASE_DIGEST="$digest" \
    -f "$ROOT/deploy/image/Dockerfile" -t "$1" "$context"
}

# The hardening the chart asks for, as podman options.
HARDENED=(--read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges --ulimit nofile=4096:4096
  --ulimit nproc=1024:1024)

# start_container NAME ARGUMENTS…: on the host's network, removed at the end; options before "--".
start_container() {
  local name=$1
  local -a options=()
  shift
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  podman run -d --name "$name" --network host "${HARDENED[@]}" "${options[@]}" "$IMAGE" "$@" >/dev/null
  at_exit podman rm -f -t 0 "$name"
}

container_pid() { podman inspect --format '{{.State.Pid}}' "$1"; }
container_exit() { podman wait "$1"; }

status_of() { curl -s -o /dev/null -m 5 -w '%{http_code}' "$@"; }
answers() { [[ $(status_of "$2") == "$1" ]]; }

# runs_restricted PID: user, capabilities, no-new-privileges, seccomp filter and root as the standard asks, from procfs.
runs_restricted() {
  local status=/proc/$1/status
  [[ $(awk '/^Uid:/ {print $2 $3 $4 $5}' "$status") == 65532655326553265532 ]] || { echo "user: $(grep Uid "$status")"; return 1; }
  [[ $(awk '/^CapEff:/ {print $2}' "$status") == 0000000000000000 ]] || { grep Cap "$status"; return 1; }
  [[ $(awk '/^CapBnd:/ {print $2}' "$status") == 0000000000000000 ]] || { grep Cap "$status"; return 1; }
  [[ $(awk '/^NoNewPrivs:/ {print $2}' "$status") == 1 ]] || { echo 'new privileges possible'; return 1; }
  [[ $(awk '/^Seccomp:/ {print $2}' "$status") == 2 ]] || { echo 'no seccomp filter'; return 1; }
  awk '$5 == "/" {exit ($6 ~ /(^|,)ro(,|$)/) ? 0 : 1}' "/proc/$1/mountinfo" || { echo 'writable root'; return 1; }
}
