#!/usr/bin/env bash
# A mistyped part of `./dev test` is refused before anything is installed or built for it.
set -euo pipefail
ROOT=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../..
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for tool in dpkg dpkg-query apt-get sudo npm cmake ninja; do
  printf '#!/bin/sh\necho %s >>"%s/called"\nexit 1\n' "$tool" "$folder" >"$folder/$tool"
  chmod +x "$folder/$tool"
done
for arguments in nonsense 'hostile nonsense'; do
  # shellcheck disable=SC2086  # two words are two arguments
  if said=$(PATH="$folder:$PATH" "$ROOT/dev" test $arguments 2>&1); then
    echo "dev test $arguments: accepted" >&2
    exit 1
  fi
  grep -q "unknown .*'nonsense' (allowed:" <<<"$said" || { echo "dev test $arguments says: $said" >&2 && exit 1; }
  [[ ! -e $folder/called ]] || { echo "dev test $arguments called first: $(sort -u "$folder/called")" >&2 && exit 1; }
done
