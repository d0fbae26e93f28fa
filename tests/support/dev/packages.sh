# shellcheck shell=bash disable=SC2034  # names are read by the other parts
# Installs what a verb needs, once. A second call only asks dpkg, which takes a few hundredths of a second.

PACKAGES_BUILD=(g++ cmake ninja-build ccache pkg-config libnghttp2-dev libssl-dev node-llhttp nlohmann-json3-dev
  libgtest-dev libgmock-dev libbenchmark-dev libspdlog-dev libfmt-dev libcli11-dev libexpected-dev prometheus-cpp-dev
  libcpp-httplib-dev zlib1g-dev libbrotli-dev libzstd-dev)
PACKAGES_CLANG=(clang-14 libclang-rt-14-dev)
PACKAGES_LINT=(clang-tidy-14 clang-format-14 shellcheck python3)
PACKAGES_TEST=(python3 curl nghttp2-client wrk openssl procps)
PACKAGES_E2E=(python3-pytest python3-h2 python3-jsonschema python3-yaml chromium prometheus)
PACKAGES_COUNT=(valgrind nghttp2-client openssl)
PACKAGES_BENCH=(python3 wrk nghttp2-client nghttp2-server nginx-light h2o lighttpd haproxy caddy valgrind openssl)

missing_packages() {
  local found
  # shellcheck disable=SC2016  # dpkg's own format string
  found=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  local name
  for name in "$@"; do
    grep -qxF "installed $name" <<<"$found" || echo "$name"
  done
}

# A server package must not start its service on the machine of whoever runs the tests.
with_services_held_back() {
  local policy=/usr/sbin/policy-rc.d made=0
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    made=1
  fi
  local status=0
  "$@" || status=$?
  [[ $made -eq 0 ]] || as_root rm -f "$policy"
  return "$status"
}

apt_install() {
  with_services_held_back as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -y \
    -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 --no-install-recommends install "$@" </dev/null >&2
}

# need PACKAGE…: all of them or the end; what cannot be had is named.
need() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -eq 0 ]] && return 0
  [[ -z ${EQUINOX_NO_INSTALL:-} ]] || die "missing packages: ${missing[*]}"
  say "installing ${missing[*]}"
  if ! apt_install "${missing[@]}"; then
    as_root apt-get -qq -o DPkg::Lock::Timeout=600 update </dev/null >&2 || true
    apt_install "${missing[@]}" || die "cannot install: ${missing[*]}"
  fi
}

# want PACKAGE…: the same for tools whose absence only skips tests; those then name the tool.
want() {
  (need "$@") || warn "going on without some of: $*"
}

node_major() { { node --version 2>/dev/null || echo v0; } | sed 's/^v\([0-9]*\).*/\1/'; }

# Node.js for the dashboard's tools; where the machine's is older than they need, npm brings a newer one.
need_node() {
  local own="$CACHE_DIR/node/node_modules/node/bin"
  [[ -x $own/node ]] && PATH="$own:$PATH"
  [[ $(node_major) -ge 20 ]] && command -v npm >/dev/null && return 0
  command -v npm >/dev/null || need nodejs npm
  if [[ $(node_major) -lt 20 ]]; then
    say "installing a newer Node.js from npm"
    mkdir -p "$CACHE_DIR/node"
    npm install --silent --no-fund --no-audit --prefix "$CACHE_DIR/node" node@22 </dev/null >&2 || return
    PATH="$own:$PATH"
  fi
  [[ $(node_major) -ge 20 ]] || die "Node.js 20 or newer is needed, found $(node --version 2>/dev/null || echo none)"
}

# npm_ready DIR: `npm ci` when the lock file changed since the last one.
npm_ready() {
  local dir=$1 stamp sum
  [[ -f $dir/package-lock.json ]] || return 0
  need_node || return
  stamp="$dir/node_modules/.equinox-lock"
  sum=$(sha256sum <"$dir/package-lock.json")
  [[ -f $stamp && $(<"$stamp") == "$sum" ]] && return 0
  say "npm ci in $dir"
  (cd "$dir" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --silent --no-fund --no-audit </dev/null >&2) || return
  printf '%s\n' "$sum" >"$stamp"
}

# go_tool NAME PACKAGE@VERSION: installs it into the tools directory; without Go ≥ 1.26 the tests skip it by name.
go_tool() {
  local name=$1 package=$2 version
  [[ -x $TOOLS_DIR/$name ]] && return 0
  version=$(go env GOVERSION 2>/dev/null | sed 's/^go//; s/[^0-9.].*//' || true)
  if [[ -z $version || $(printf '%s\n1.26\n' "$version" | sort -V | head -n1) != 1.26 ]]; then
    warn "no Go 1.26 or newer: going on without $name"
    return 0
  fi
  mkdir -p "$TOOLS_DIR"
  say "go install $package"
  GOBIN="$TOOLS_DIR" go install "$package" </dev/null >&2 || warn "cannot install $name"
}
