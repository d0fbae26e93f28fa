#!/usr/bin/env bash
# Makes a token for the dashboard of the compose demo: its hash goes to config/tokens.json, the token is printed once.
set -euo pipefail

HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
IMAGE=${EQUINOX_IMAGE:-equinox/equinox:0.1.0}
ENGINE=${ENGINE:-$(command -v docker || command -v podman)}

OUTPUT=$("$ENGINE" run --rm --network none "$IMAGE" token --role operator --name compose)
ENTRY=$(grep -o '{.*}' <<<"$OUTPUT" | tail -n 1)
printf '{"tokens": [%s]}\n' "$ENTRY" >"$HERE/config/tokens.json"
chmod 644 "$HERE/config/tokens.json"
printf '%s\n' "$OUTPUT"
