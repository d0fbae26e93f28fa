# helm-unittest: the chart's own tests.
# shellcheck shell=bash

part_unittest() {
  need_tool 'chart unit tests' helm-unittest || return 0
  check 'helm unittest' "$(tool helm-unittest)" --strict "$CHART"
}
