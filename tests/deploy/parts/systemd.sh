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

# Does not take SIGHUP for some seconds, then does; says when it is ready and when it has taken it.
LATE_SERVER='import signal, sys, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
open(sys.argv[1], "w").close()
time.sleep(3)
signal.sigwait({signal.SIGHUP})
open(sys.argv[2], "w").close()
signal.pause()'

# The command of the unit, without a manager: it may end only when the server has the signal, and fails without a server.
reload_waits_for_the_server() {
  local command ready=$SCRATCH/late.ready taken=$SCRATCH/late.taken server status=0
  command=$(sed -n "s/^ExecReload=\/bin\/sh -c '\(.*\)'\$/\1/p" "$ROOT/deploy/systemd/equinox.service")
  [[ -n $command ]] || { echo 'no ExecReload by the shell'; return 1; }
  "$PYTHON" -c "$LATE_SERVER" "$ready" "$taken" &
  server=$!
  wait_for 10 test -e "$ready" || status=1
  MAINPID=$server timeout 20 /bin/sh -c "$command" || { echo 'the command failed'; status=1; }
  wait_for 1 test -e "$taken" || { echo 'it did not wait'; status=1; }
  kill "$server"
  wait "$server" || true
  ! MAINPID=$server timeout 20 /bin/sh -c "$command" 2>/dev/null || { echo 'it reloads what is gone'; status=1; }
  return "$status"
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
  check 'the reload command waits until the server has the signal' reload_waits_for_the_server
  need 'unit files' systemd-analyze systemd-sysusers systemd-tmpfiles || return 0
  check_silent 'systemd-analyze verify has nothing to say' verify_units
  check 'systemd-analyze verify finds a misspelt key' verify_finds_a_misspelt_key
  check 'exposure is at most 2.0' exposure
  check 'the system user is understood' users_are_understood
  check 'the directories are understood' directories_are_understood
}
