# The same bytes twice: image and packages.
# shellcheck shell=bash

image_twice() {
  build_image localhost/equinox:once && build_image localhost/equinox:again || return 1
  "$ROOT/deploy/image/compare.sh" localhost/equinox:once localhost/equinox:again
}

# A comparison that cannot fail is none: another time stamp must be noticed.
compare_notices_a_difference() {
  (EPOCH=$((EPOCH + 1)) && build_image localhost/equinox:other) || return 1
  ! "$ROOT/deploy/image/compare.sh" localhost/equinox:once localhost/equinox:other
}

part_reproduce() {
  need_image 'the image is reproducible' || return 0
  check 'two builds of the image have the same digest' image_twice
  check 'another image has another digest' compare_notices_a_difference
  podman rmi -f localhost/equinox:once localhost/equinox:again localhost/equinox:other >/dev/null 2>&1 || true
}
