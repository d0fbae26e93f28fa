# shellcheck shell=bash
part_systemd() { :; }
