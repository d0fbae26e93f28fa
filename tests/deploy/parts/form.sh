# Form of YAML, JSON, shell and Go files.
# shellcheck shell=bash

yaml_files() {
  find "$ROOT/deploy" "$ROOT/docs/deploy" "$HERE" -type f \( -name '*.yaml' -o -name '*.yml' \) \
    -not -path "$CHART/templates/*" -not -path '*/node_modules/*' -not -path '*/golden/*' | sort -u
}

json_is_well_formed() {
  local file
  while IFS= read -r file; do jq -e . "$file" >/dev/null || return 1; done < <(find "$ROOT/deploy" -name '*.json' -not -path '*/node_modules/*')
}

lint_dockerfiles() { "$TOOLS/npm/node_modules/.bin/dockerfilelint" -c "$HERE" "$@"; }

finds_a_bad_dockerfile() {
  printf 'FROM debian:12\nRUN sudo apt-get install curl\n' >"$SCRATCH/Dockerfile.bad"
  ! lint_dockerfiles "$SCRATCH/Dockerfile.bad"
}

part_form() {
  if need 'YAML form' yamllint; then
    mapfile -t files < <(yaml_files)
    check 'every YAML file is clean' yamllint --strict -c "$HERE/yamllint.yaml" "${files[@]}"
  fi
  if need 'JSON form' jq; then check 'every JSON file parses' json_is_well_formed; fi
  if need 'shell form' shellcheck; then
    mapfile -t files < <(find "$ROOT/deploy" "$HERE" -name '*.sh' -not -path '*/node_modules/*'; scripts_without_suffix)
    check 'every shell script is clean' shellcheck -x -P "$HERE" "${files[@]}"
  fi
  if [[ -x $TOOLS/npm/node_modules/.bin/dockerfilelint ]]; then
    check 'every Dockerfile is clean' lint_dockerfiles "$ROOT/deploy/image/Dockerfile" "$ROOT/deploy/compose/load/Dockerfile"
    check 'the linter finds a bad Dockerfile' finds_a_bad_dockerfile
  else
    skip 'Dockerfile form' dockerfilelint
  fi
  check 'the stages of the image hand over what they should' "$PYTHON" "$HERE/checks/dockerfile.py"
  if need 'Go form' gofmt; then check_silent 'Go sources are formatted' gofmt -l "$HERE/tools"; fi
}

# Maintainer scripts have fixed names.
scripts_without_suffix() {
  find "$ROOT/deploy/debian" -type f \( -name postinst -o -name prerm -o -name postrm \) 2>/dev/null
}
