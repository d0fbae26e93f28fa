#!/usr/bin/env bash
# build-base.sh [TAG]: bootstraps a base image from the distribution's archive, for builds without a registry. It holds
# what assemble-root.sh needs (the packages of runtime-packages.txt in its cache); with --full also the compiler.
set -euo pipefail

HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
TAG=localhost/equinox-base:bookworm
INCLUDE=python3,binutils
for argument in "$@"; do
  case "$argument" in
    --full) INCLUDE+=,bash,ca-certificates,g++,cmake,ninja-build,nodejs,npm ;;
    *) TAG=$argument ;;
  esac
done

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
mapfile -t PACKAGES < <(grep -v '^#' "$HERE/runtime-packages.txt")

mkdir "$WORK/cache"
chmod 777 "$WORK" "$WORK/cache"
(cd "$WORK/cache" && apt-get -qq download "${PACKAGES[@]}")
mmdebstrap --quiet --variant=minbase --include="$INCLUDE" \
  --customize-hook="mkdir -p \$1/var/cache/equinox-runtime" \
  --customize-hook="copy-in $WORK/cache/. /var/cache/equinox-runtime" \
  bookworm "$WORK/base.tar"
podman import --quiet "$WORK/base.tar" "$TAG"
