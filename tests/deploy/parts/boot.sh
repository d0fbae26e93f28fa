# The package under a real systemd: nspawn boots a root with it, a one-shot unit runs boot/inside.sh and powers off.
# shellcheck shell=bash

prepare_boot_root() {
  make_root "$SCRATCH/boot" || return 1
  [[ -d $SCRATCH/packages ]] || { build_libraries && mkdir -p "$SCRATCH/packages" && make_packages "$SCRATCH/packages" || return 1; }
  cp "$SCRATCH"/packages/equinox_*.deb "$SCRATCH/boot/tmp/"
  cp /etc/resolv.conf "$SCRATCH/boot/etc/" 2>/dev/null || true
  chroot "$SCRATCH/boot" sh -c 'apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install /tmp/equinox_*.deb' || return 1
  install -m 755 "$HERE/boot/inside.sh" "$SCRATCH/boot/usr/local/bin/inside.sh"
  install -m 644 "$HERE/boot/inside.service" "$SCRATCH/boot/etc/systemd/system/"
  mkdir -p "$SCRATCH/boot/etc/systemd/system/equinox.service.d" "$SCRATCH/results"
  install -m 644 "$HERE/boot/quick-watchdog.conf" "$SCRATCH/boot/etc/systemd/system/equinox.service.d/"
  chroot "$SCRATCH/boot" systemctl enable inside.service
}

boot_it() {
  timeout 300 systemd-nspawn -q -D "$SCRATCH/boot" --register=no --keep-unit --private-network --bind="$SCRATCH/results:/results" -b \
    >"$SCRATCH/boot.log" 2>&1 </dev/null || true
  [[ -s $SCRATCH/results/done ]] || { tail -n 40 "$SCRATCH/boot.log"; cat "$SCRATCH"/results/* 2>/dev/null; return 1; }
}

part_boot() {
  need 'a booted system' systemd-nspawn mmdebstrap cpack || return 0
  if [[ ! -f $BUILD/CPackConfig.cmake && ! -d $SCRATCH/packages ]]; then skip 'a booted system' "a configured build in $BUILD"; return 0; fi
  check 'a root with the package' prepare_boot_root
  check 'systemd boots it and powers off' boot_it
  local verdict name
  while IFS=: read -r verdict name; do
    if [[ $verdict == ok ]]; then pass "$name"; else fail "$name" "$SCRATCH/results/log"; fi
  done < <(cat "$SCRATCH/results/verdicts" 2>/dev/null)
}
