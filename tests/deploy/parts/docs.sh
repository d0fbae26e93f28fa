# shellcheck shell=bash
part_docs() { :; }
