#!/bin/sh
# ui.sh packages|files PREBUILT: installs the dashboard's packages as locked, and makes its files in dist/. A binary from
# outside brings its dashboard along: then there is nothing to do, and no Node.js is needed.
set -eu
step=$1
prebuilt=$2
mkdir -p dist
[ -z "$prebuilt" ] || exit 0

# A base from Debian's archive has a Node.js older than the tools need; npm brings a newer one.
newer=/opt/node/node_modules/node/bin
if [ ! -x "$newer/node" ] && [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -lt 20 ]; then
  npm install --loglevel error --no-audit --no-fund --prefix /opt/node node@22
fi
PATH=$newer:$PATH

case $step in
  packages) npm ci --no-audit --no-fund ;;
  files) npm run build ;;
  *)
    echo "ui.sh: unknown step $step" >&2
    exit 2
    ;;
esac
