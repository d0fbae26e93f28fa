#!/usr/bin/env bash
# compare.sh IMAGE IMAGE: fails unless both have the same manifest digest; names the first difference.
set -euo pipefail

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
index=0
for image in "$1" "$2"; do
  index=$((index + 1))
  skopeo copy --quiet "containers-storage:$image" "oci:$WORK/$index:image"
  jq -r '.manifests[0].digest' "$WORK/$index/index.json" >"$WORK/digest.$index"
done
if cmp -s "$WORK/digest.1" "$WORK/digest.2"; then
  cat "$WORK/digest.1"
  exit 0
fi
echo "different: $(cat "$WORK/digest.1") $(cat "$WORK/digest.2")" >&2
for index in 1 2; do
  manifest=$WORK/$index/blobs/sha256/$(cut -d: -f2 "$WORK/digest.$index")
  for layer in $(jq -r '.layers[].digest' "$manifest"); do
    tar -tvf "$WORK/$index/blobs/sha256/${layer#sha256:}"
  done >"$WORK/files.$index"
done
diff "$WORK/files.1" "$WORK/files.2" | head -n 20 >&2 || true
exit 1
