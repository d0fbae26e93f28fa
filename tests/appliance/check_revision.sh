#!/bin/sh
# A build tree tells the commit it was built from, also when it was made before that commit. A folder without history has none, and
# is not configured again.
# check_revision.sh CMAKE NINJA REVISION_CMAKE
set -eu
cmake=$1 ninja=$2 module=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A hook that runs the tests has these set: they would lead to its repository.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export GIT_CEILING_DIRECTORIES="${folder%/*}" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

fail() {
  echo "$1" >&2
  exit 1
}

commit() { git -C "$folder/source" -c user.name=a -c user.email=a@example.net commit -q --allow-empty -m "$1"; }
build() { "$ninja" -C "$folder/build" >"$folder/log" || { cat "$folder/log"; exit 1; }; }

mkdir "$folder/source"
cat >"$folder/source/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(revision LANGUAGES NONE)
include($module)
equinox_find_revision(revision \${CMAKE_CURRENT_SOURCE_DIR})
file(WRITE \${CMAKE_BINARY_DIR}/revision "\${revision}")
END
"$cmake" -G Ninja -DCMAKE_MAKE_PROGRAM="$ninja" -S "$folder/source" -B "$folder/build" >"$folder/log" || { cat "$folder/log"; exit 1; }
[ ! -s "$folder/build/revision" ] || fail "a revision without a repository: $(cat "$folder/build/revision")"

git -C "$folder/source" init -q
commit one
"$cmake" "$folder/build" >"$folder/log"
for message in two three; do
  commit "$message"
  build
  wanted=$(git -C "$folder/source" rev-parse --short=12 HEAD)
  [ "$(cat "$folder/build/revision")" = "$wanted" ] || fail "after commit $message: $(cat "$folder/build/revision") instead of $wanted"
done
build
grep -q "no work to do" "$folder/log" || fail "configured again although HEAD stands still"
