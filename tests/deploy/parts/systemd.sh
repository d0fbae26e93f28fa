# Unit files; part boot runs them under a real systemd.
# shellcheck shell=bash

# verify_units: systemd-analyze exits 0 after misspelt keys, so any output is a failure. The binary is replaced by one
# that exists, and the man page line goes, because neither is installed here.
verify_units() {
  local folder=$SCRATCH/units
  mkdir -p "$folder"
  cp "$ROOT"/deploy/systemd/equinox.{service,socket} "$folder/"
  sed -i -e 's#^\(Exec[A-Za-z]*\)=/usr/bin/equinox#\1=/bin/true#' -e '/^Documentation=/d' -e 's/^\(User\|Group\)=equinox/\1=daemon/' "$folder"/*
  (cd "$folder" && systemd-analyze verify ./equinox.service ./equinox.socket)
}

verify_finds_a_misspelt_key() {
  sed -i 's/^ProtectHome=/ProtectHoem=/' "$SCRATCH/units/equinox.service"
  [[ -n $(systemd-analyze verify "$SCRATCH/units/equinox.service" 2>&1) ]]
}

exposure() { systemd-analyze security --offline=true --threshold=20 "$ROOT/deploy/systemd/equinox.service"; }

stop_time_covers_the_drain() {
  local stop drain
  stop=$(sed -n 's/^TimeoutStopSec=//p' "$ROOT/deploy/systemd/equinox.service")
  drain=$(jq -r '.drain | [.delay, .timeout] | map(rtrimstr("s") | tonumber) | add' "$ROOT/deploy/systemd/equinox.json")
  ((stop == drain + 10))
}

users_are_understood() {
  local tree=$SCRATCH/sysusers
  mkdir -p "$tree/etc"
  systemd-sysusers --root="$tree" "$ROOT/deploy/systemd/equinox.sysusers" && grep -q '^equinox:' "$tree/etc/passwd"
}

directories_are_understood() {
  local tree=$SCRATCH/tmpfiles
  mkdir -p "$tree/etc"
  printf 'root:x:0:0::/root:/bin/sh\n' >"$tree/etc/passwd"
  printf 'root:x:0:\n' >"$tree/etc/group"
  systemd-tmpfiles --root="$tree" --create "$ROOT/deploy/systemd/equinox.tmpfiles" && [[ $(stat -c %a "$tree/etc/equinox/tls") == 750 ]]
}

part_systemd() {
  check 'the stop time covers the drain' stop_time_covers_the_drain
  need 'unit files' systemd-analyze systemd-sysusers systemd-tmpfiles || return 0
  check_silent 'systemd-analyze verify has nothing to say' verify_units
  check 'systemd-analyze verify finds a misspelt key' verify_finds_a_misspelt_key
  check 'exposure is at most 2.0' exposure
  check 'the system user is understood' users_are_understood
  check 'the directories are understood' directories_are_understood
}
