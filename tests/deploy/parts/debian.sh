# Debian packages: built twice the same, clean under lintian, installed, upgraded and purged, used by a program.
# shellcheck shell=bash

BUILD=${EQUINOX_BUILD:-$ROOT/build/release}
UNAME=bookworm

# What is installed but not part of the binary: the archives of the library.
build_libraries() {
  local target
  for target in equinox equinox_library equinox_metrics_library equinox_admin_library; do
    ninja -C "$BUILD" -t query "$target" >/dev/null 2>&1 || continue
    nice -n 10 cmake --build "$BUILD" --target "$target" || return 1
  done
}

make_packages() {
  (umask 022 && SOURCE_DATE_EPOCH=$EPOCH cpack --config "$BUILD/CPackConfig.cmake" -B "$1") && ls "$1"/equinox_*.deb "$1"/libequinox-dev_*.deb
}

same_packages() {
  make_packages "$SCRATCH/packages-again" >/dev/null || return 1
  diff <(cd "$SCRATCH/packages" && sha256sum ./*.deb) <(cd "$SCRATCH/packages-again" && sha256sum ./*.deb)
}

lint_packages() { lintian --fail-on error,warning "$SCRATCH"/packages/*.deb; }

# A root of the distribution, made once and copied for each test.
make_root() {
  [[ -s $TOOLS/$UNAME-root.tar ]] ||
    mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,curl,init-system-helpers,ca-certificates "$UNAME" "$TOOLS/$UNAME-root.tar" || return 1
  rm -rf "$1"
  mkdir -p "$1"
  tar -C "$1" -xf "$TOOLS/$UNAME-root.tar" --exclude='./dev/*'
  # apt's own checks of signatures write there.
  local name minor
  while read -r name minor; do mknod -m 666 "$1/dev/$name" c 1 "$minor"; done <<<$'null 3\nzero 5\nrandom 8\nurandom 9'
}

in_root() { chroot "$SCRATCH/root" /usr/bin/env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 "$@"; }

install_package() {
  make_root "$SCRATCH/root" && cp "$SCRATCH"/packages/*.deb "$SCRATCH/root/tmp/" || return 1
  cp /etc/resolv.conf "$SCRATCH/root/etc/" 2>/dev/null || true
  in_root sh -c 'apt-get -qq update; apt-get -qq -y --no-install-recommends install /tmp/equinox_*.deb'
  in_root equinox version && in_root equinox check --config /etc/equinox/equinox.json && in_root id equinox
}

upgrade_keeps_an_edited_conffile() {
  echo '{ "log": { "level": "warn" } }' >"$SCRATCH/root/etc/equinox/equinox.json"
  mkdir -p "$SCRATCH/next"
  dpkg-deb -R "$SCRATCH"/packages/equinox_*.deb "$SCRATCH/next/tree"
  sed -i 's/^Version: .*/Version: 99.0/' "$SCRATCH/next/tree/DEBIAN/control"
  sed -i 's/"info"/"debug"/' "$SCRATCH/next/tree/etc/equinox/equinox.json"
  dpkg-deb -b "$SCRATCH/next/tree" "$SCRATCH/root/tmp/equinox_99.0_amd64.deb" >/dev/null
  in_root dpkg --force-confold -i /tmp/equinox_99.0_amd64.deb && grep -q warn "$SCRATCH/root/etc/equinox/equinox.json"
}

remove_and_purge() {
  in_root dpkg -r equinox && [[ -f $SCRATCH/root/etc/equinox/equinox.json ]] || return 1
  in_root dpkg -P equinox || return 1
  local left
  left=$(find "$SCRATCH/root/etc" "$SCRATCH/root/usr" "$SCRATCH/root/lib" -name '*equinox*' | head)
  [[ -z $left ]] || { echo "left: $left"; return 1; }
}

# Decision 0009: the library is an archive, and no package has a shared object of it.
library_is_an_archive() {
  local package names='' contents=$SCRATCH/package-contents
  for package in "$SCRATCH"/packages/*.deb; do
    names+="$(dpkg-deb -f "$package" Package) "
    dpkg-deb -c "$package"
  done >"$contents"
  [[ $names == 'equinox libequinox-dev ' ]] || { echo "packages: $names"; return 1; }
  grep '/libequinox\.a$' "$contents" && ! grep '/libequinox[^/]*\.so' "$contents"
}

consumer_builds() {
  local folder=$SCRATCH/consumer tree=$SCRATCH/dev-tree
  dpkg-deb -x "$(ls "$SCRATCH"/packages/libequinox-dev_*.deb)" "$tree"
  mkdir -p "$folder"
  cat >"$folder/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(equinox REQUIRED)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE equinox::server)
CMAKE
  printf '#include <equinox/server.hpp>\nint main() { equinox::Server server{{.listeners = {{.address = "127.0.0.1:0"}}}}; return 0; }\n' >"$folder/main.cpp"
  cmake -G Ninja -S "$folder" -B "$folder/build" -DCMAKE_CXX_STANDARD=20 -DCMAKE_PREFIX_PATH="$tree/usr" && cmake --build "$folder/build" && "$folder/build/consumer"
}

consumer_builds_with_pkg_config() {
  local folder=$SCRATCH/consumer tree=$SCRATCH/dev-tree flags file
  file=$(find "$tree" -name equinox.pc | head -n 1)
  flags=$(PKG_CONFIG_PATH=${file%/*} pkg-config --define-variable=prefix="$tree/usr" --cflags --libs --static equinox) || return 1
  # shellcheck disable=SC2086  # flags are words
  g++ -std=c++20 "$folder/main.cpp" -o "$folder/by-pkg-config" $flags && "$folder/by-pkg-config"
}

run_piuparts() {
  make_root "$SCRATCH/piuparts-root" || return 1
  piuparts --existing-chroot="$SCRATCH/piuparts-root" -d "$UNAME" --no-eatmydata --warn-on-leftovers-after-purge "$SCRATCH"/packages/equinox_*.deb
}

part_debian() {
  need 'packages' cpack dpkg-deb || return 0
  if [[ ! -f $BUILD/CPackConfig.cmake ]]; then skip 'packages' "a configured build in $BUILD"; return 0; fi
  mkdir -p "$SCRATCH/packages" "$SCRATCH/packages-again"
  check 'the libraries build' build_libraries
  check 'CPack makes them' make_packages "$SCRATCH/packages"
  check 'twice the same' same_packages
  if need 'lintian' lintian; then check 'lintian has nothing to say' lint_packages; fi
  check 'the library is an archive for developers' library_is_an_archive
  check 'a program builds with find_package' consumer_builds
  if need 'a program builds with pkg-config' pkg-config; then check 'a program builds with pkg-config' consumer_builds_with_pkg_config; fi
  need 'installation' mmdebstrap || return 0
  check 'it installs and checks its configuration' install_package
  check 'an upgrade keeps an edited configuration' upgrade_keeps_an_edited_conffile
  check 'removal keeps the configuration, purge leaves nothing' remove_and_purge
  if need 'piuparts' piuparts; then check 'piuparts' run_piuparts; fi
}
