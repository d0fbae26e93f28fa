# shellcheck shell=bash
# The tests. Every part leaves JUnit files in build/reports; report.py adds them up and names what was skipped.

H2SPEC_PACKAGE=github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
FAILED_PARTS=()

# part NAME COMMAND…: a failing part does not keep the others from running.
part() { timed "$@" || FAILED_PARTS+=("$1"); }

# run_ctest PRESET REPORT LABELS
run_ctest() {
  local preset=$1 report=$2 labels=$3
  ctest --test-dir "build/$preset" -L "^($labels)\$" -j "$JOBS" --output-on-failure --no-tests=ignore --timeout 300 \
    --output-junit "$REPORT_DIR/$report.xml" >"$REPORT_DIR/$report.log" 2>&1 </dev/null && return 0
  # Thousands of lines "Passed" would hide the ones that matter.
  grep -vE '^ *[0-9]+/[0-9]+ Test .* Passed |^ +Start +[0-9]+:' "$REPORT_DIR/$report.log"
  return 1
}

run_e2e() {
  want "${PACKAGES_TEST[@]}" "${PACKAGES_E2E[@]}"
  go_tool h2spec "$H2SPEC_PACKAGE"
  build_preset release equinox || return 1
  local status=0
  EQUINOX_BINARY="$ROOT/build/release/equinox" "$PYTHON" -m pytest e2e --ignore=e2e/dashboard -q -p no:cacheprovider \
    --junitxml="$REPORT_DIR/e2e.xml" </dev/null || status=$?
  run_dashboard || status=$?
  return "$status"
}

# The dashboard in a browser, against a server with traffic.
run_dashboard() {
  [[ -d e2e/dashboard ]] || return 0
  npm_ready admin-ui/web || return
  EQUINOX_BINARY="$ROOT/build/release/equinox" "$PYTHON" e2e/with_server.py \
    node --test --test-concurrency=1 --test-reporter=junit --test-reporter-destination="$REPORT_DIR/e2e-dashboard.xml" \
    --test-reporter=spec --test-reporter-destination=stdout e2e/dashboard/*.test.mjs </dev/null
}

run_web_unit() {
  [[ -f admin-ui/web/package.json ]] || return 0
  npm_ready admin-ui/web || return
  (cd admin-ui/web && npx --no-install vitest run --reporter=default --reporter=junit --outputFile.junit="$REPORT_DIR/unit-web.xml" </dev/null)
}

# run_deploy GROUP…: the script prints its own closing line "N passed, N failed, N skipped", which report.py reads.
run_deploy() {
  [[ -x tests/deploy/run.sh ]] || return 0
  build_preset release equinox || return 1
  local status=0
  EQUINOX_BINARY="$ROOT/build/release/equinox" tests/deploy/run.sh "$@" </dev/null 2>&1 | tee "$REPORT_DIR/deploy.log" || status=$?
  return "$status"
}

# run_hostile [PRESET]: attacks on the binary of that preset, or on EQUINOX_BINARY; prints the table of what each one cost.
run_hostile() {
  local preset=${1:-release} report=hostile
  [[ $preset == release ]] || report=hostile-$preset
  want "${PACKAGES_TEST[@]}" "${PACKAGES_E2E[@]}"
  build_preset release bench_load || return 1
  [[ -n ${EQUINOX_BINARY:-} ]] || build_preset "$preset" equinox || return 1
  EQUINOX_BINARY="${EQUINOX_BINARY:-$ROOT/build/$preset/equinox}" "$PYTHON" -m pytest tests/hostile -q -s -p no:cacheprovider \
    --junitxml="$REPORT_DIR/$report.xml" </dev/null
}

# Instructions of a request against their limits, in the build where inlining hides nothing.
run_instructions() {
  want "${PACKAGES_COUNT[@]}"
  build_preset release bench_load || return 1
  timed 'build bench-nolto' build_preset bench-nolto equinox || return 1
  "$PYTHON" tests/bench/instruction_gate.py "$REPORT_DIR/instructions.xml" </dev/null
}

UNIT_LABELS='unit|architecture|docs'

sanitizer_part() {
  local preset=$1
  timed "build $preset" build_preset "$preset" || {
    FAILED_PARTS+=("build $preset")
    return 0
  }
  part "$preset: unit" run_ctest "$preset" "$preset-unit" unit
  part "$preset: integration" run_ctest "$preset" "$preset-integration" integration
  part "$preset: fuzz corpus" run_ctest "$preset" "$preset-fuzz" fuzz
}

start_reports() {
  mkdir -p "$REPORT_DIR"
  rm -f "$REPORT_DIR"/*.xml "$REPORT_DIR"/*.log
}

finish_reports() {
  local status=0
  "$PYTHON" tests/support/dev/report.py "$REPORT_DIR" "${FAILED_PARTS[@]/#/--failed-part=}" || status=$?
  return "$status"
}

build_or_finish() {
  timed "build $1" build_preset "$1" && return 0
  FAILED_PARTS+=("build $1")
  finish_reports
  exit 1
}

everyday_tests() {
  build_or_finish release
  part unit run_ctest release unit "$UNIT_LABELS"
  part 'unit, dashboard' run_web_unit
  part integration run_ctest release integration integration
  part e2e run_e2e
  part deploy run_deploy "$1"
  part instructions run_instructions
  sanitizer_part asan
}

# Before anything is installed or built for it.
check_test_part() {
  case "${1:-}" in
    '' | unit | integration | e2e | deploy | instructions | full) ;;
    hostile)
      case "${2:-release}" in release | asan | tsan) ;; *) die "test hostile: unknown build '$2' (allowed: release asan tsan)" ;; esac
      ;;
    *) die "test: unknown part '$1' (allowed: unit integration e2e deploy instructions hostile full)" ;;
  esac
}

verb_test() {
  check_test_part "$@"
  need "${PACKAGES_BUILD[@]}" "${PACKAGES_TEST[@]}"
  start_reports
  case "${1:-}" in
    '') everyday_tests core ;;
    unit)
      build_or_finish release
      part unit run_ctest release unit "$UNIT_LABELS"
      part 'unit, dashboard' run_web_unit
      ;;
    integration)
      build_or_finish release
      part integration run_ctest release integration integration
      ;;
    e2e) part e2e run_e2e ;;
    deploy) part deploy run_deploy core run ;;
    instructions) part instructions run_instructions ;;
    hostile) part "hostile${2:+, $2}" run_hostile "${2:-release}" ;;
    full)
      everyday_tests full
      sanitizer_part tsan
      part 'second compiler' build_preset clang
      part hostile run_hostile
      part 'hostile, asan' run_hostile asan
      ;;
  esac
  finish_reports
}

verb_sanitizer() {
  start_reports
  sanitizer_part "$1"
  finish_reports
}
