# shellcheck shell=bash
# Static checks. clang-tidy is remembered by content (tests/support/dev/tidy.py), so a second call is quick.

project_files() { git ls-files -co --exclude-standard -- "$@" | while IFS= read -r file; do if [[ -f $file ]]; then echo "$file"; fi; done; }

cpp_files() { project_files '*.cpp' '*.hpp' '*.h'; }

shell_files() {
  project_files '*.sh'
  local file
  for file in dev .ci/run; do echo "$file"; done
}

lint_format() { cpp_files | xargs -r -P "$JOBS" -n 20 clang-format-14 --dry-run -Werror; }
lint_shell() { shell_files | sort -u | xargs -r shellcheck -x; }

lint_python() {
  project_files '*.py' | xargs -r -P "$JOBS" -n 40 "$PYTHON" -c '
import ast, sys
for path in sys.argv[1:]:
    with open(path, "rb") as source:
        ast.parse(source.read(), path)'
}

lint_architecture() { "$PYTHON" tests/architecture/check_architecture.py; }

lint_tidy() {
  need "${PACKAGES_BUILD[@]}" "${PACKAGES_CLANG[@]}" || return
  use_ccache
  npm_ready admin-ui/web || return
  configure clang || return
  "$PYTHON" tests/support/dev/tidy.py --build build/clang --jobs "$JOBS" --cache "$CACHE_DIR/tidy"
}

lint_web() {
  [[ -f admin-ui/web/package.json ]] || return 0
  npm_ready admin-ui/web || return
  local script
  for script in lint typecheck; do (cd admin-ui/web && npm run --silent --if-present "$script" </dev/null) || return; done
}

verb_lint() {
  need "${PACKAGES_LINT[@]}"
  local failed=() check
  for check in format shell python architecture web tidy; do
    timed "lint $check" "lint_$check" || failed+=("$check")
  done
  [[ ${#failed[@]} -eq 0 ]] || die "lint: ${failed[*]} found something"
  echo 'lint: clean'
}

verb_format() {
  need "${PACKAGES_LINT[@]}"
  cpp_files | xargs -r -P "$JOBS" -n 20 clang-format-14 -i
}
