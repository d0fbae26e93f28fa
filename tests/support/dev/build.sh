# shellcheck shell=bash
# Configure and build a preset; the verbs run, build, bench, fuzz, soak.
# Functions say `|| return` themselves: bash ignores `set -e` inside whatever is called on the left of `||`.

use_ccache() {
  command -v ccache >/dev/null || return 0
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_C_COMPILER_LAUNCHER=ccache
  # A second checkout finds what the first has compiled; precompiled headers need the leniency.
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
}

needs_configure() {
  local stamp=build/$1/.configured
  [[ ! -f build/$1/build.ninja || ! -f $stamp || CMakePresets.json -nt $stamp ]]
}

configure() {
  local preset=$1
  needs_configure "$preset" || return 0
  cmake --preset "$preset" >&2 || return
  touch "build/$preset/.configured"
}

# build_preset PRESET [TARGET…]
build_preset() {
  local preset=$1
  shift
  need "${PACKAGES_BUILD[@]}" || return
  case "$preset" in clang | fuzz) need "${PACKAGES_CLANG[@]}" || return ;; esac
  use_ccache
  # Who has the dashboard's files already, as the image's compiler has, needs no Node.js.
  "$PYTHON" admin-ui/embed_assets.py --is-fresh admin-ui/web || npm_ready admin-ui/web || return
  configure "$preset" || return
  cmake --build "build/$preset" --parallel "$JOBS" ${1:+--target "$@"} >&2
}

verb_build() { build_preset "${1:-release}"; }

verb_run() {
  build_preset release equinox
  cd "$EQUINOX_CALLER_DIR" || exit
  exec "$ROOT/build/release/equinox" serve "$@"
}

verb_bench() {
  if [[ ${1:-} == --micro ]]; then
    shift
    build_preset release
    local program
    while IFS= read -r program; do "$program" "$@"; done < <(find build/release -type f -name '*_benchmark' -perm -u+x | sort)
    return
  fi
  want "${PACKAGES_BENCH[@]}"
  build_preset release equinox raw_server bench_tools
  build_preset bench-nolto equinox
  "$PYTHON" tests/bench/bench.py "$@"
}

verb_fuzz() {
  local seconds=60 only=''
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --seconds) seconds=$2 && shift 2 ;;
      --only) only=$2 && shift 2 ;;
      *) die "fuzz: unknown option $1 (allowed: --seconds N, --only NAME)" ;;
    esac
  done
  need "${PACKAGES_BUILD[@]}" "${PACKAGES_CLANG[@]}"
  use_ccache
  configure fuzz
  local targets
  mapfile -t targets < <(ninja -C build/fuzz -t targets all | sed -n 's/^\([a-z0-9_]*_fuzz\): phony$/\1/p')
  build_preset fuzz "${targets[@]}"
  local program name corpus found=0
  while IFS= read -r program; do
    name=$(basename "$program")
    name=${name%_fuzz}
    [[ -z $only || $only == "$name" ]] || continue
    found=1
    corpus="build/fuzz/corpus/$name"
    mkdir -p "$corpus" build/fuzz/findings
    local corpora=("$corpus")
    [[ ! -d tests/fuzz/corpus/$name ]] || corpora+=("tests/fuzz/corpus/$name")
    timed "fuzz $name" "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/findings/$name-" "${corpora[@]}"
  done < <(find build/fuzz -type f -name '*_fuzz' -perm -u+x | sort)
  [[ $found -eq 1 ]] || die "fuzz: no target${only:+ named $only}"
}

verb_soak() {
  want "${PACKAGES_TEST[@]}"
  build_preset release equinox
  "$PYTHON" tests/hostile/soak.py "$@"
}
