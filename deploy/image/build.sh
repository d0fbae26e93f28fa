#!/bin/sh
# build.sh PREBUILT OUT: puts the stripped binary at OUT; compiled here unless PREBUILT names one in the context. The
# dashboard is there already, from the stage before: nothing here needs Node.js.
set -eu
prebuilt=$1
out=$2
mkdir -p "$(dirname "$out")"
if [ -z "$prebuilt" ]; then
  apt-get -qq update
  apt-get -qq -y --no-install-recommends install bash ca-certificates python3 binutils
  # Made of these very sources, whatever time their files got on the way here.
  touch admin-ui/web/dist/index.html
  ./dev build release
  prebuilt=build/release/equinox
fi
cp "$prebuilt" "$out"
strip --strip-unneeded --remove-section=.comment "$out"
chmod 0755 "$out"
