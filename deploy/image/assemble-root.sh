#!/bin/sh
# assemble-root.sh BINARY ROOT VERSION EPOCH: unpacks runtime-packages.txt into ROOT, adds the binary, the user and the
# SBOM. No shell, no setuid file, nothing writable; status.d keeps scanners informed of the packages.
set -eu
binary=$1
root=$2
version=$3
epoch=$4
here=$(dirname "$0")
cache=/var/cache/equinox-runtime

mkdir -p "$root/var/lib/dpkg/status.d" "$cache"
packages=$(grep -v '^#' "$here/runtime-packages.txt")
# A bootstrapped base carries the packages already; the public one asks its archive.
if ! ls "$cache"/*.deb >/dev/null 2>&1; then
  apt-get -qq update
  # shellcheck disable=SC2086  # a list of words
  (cd "$cache" && apt-get -qq download $packages)
fi
for file in "$cache"/*.deb; do
  name=$(dpkg-deb --field "$file" Package)
  dpkg-deb --extract "$file" "$root"
  dpkg-deb --field "$file" >"$root/var/lib/dpkg/status.d/$name"
done

# A merged /usr, as in Debian itself: unpacked libraries may come with either path.
for folder in lib lib64 bin sbin; do
  if [ -d "$root/$folder" ] && [ ! -L "$root/$folder" ]; then
    mkdir -p "$root/usr/$folder"
    cp -a "$root/$folder/." "$root/usr/$folder/"
    rm -rf "${root:?}/$folder"
    ln -s "usr/$folder" "$root/$folder"
  fi
done

# Certificates of the package as one bundle; its own script needs a shell.
mkdir -p "$root/etc/ssl/certs"
find "$root/usr/share/ca-certificates" -name '*.crt' -print0 | sort -z | xargs -0 cat >"$root/etc/ssl/certs/ca-certificates.crt"

rm -rf "${root:?}"/usr/share/man "${root:?}"/usr/share/locale "${root:?}"/usr/share/lintian "${root:?}"/usr/share/info "${root:?}"/usr/share/bug \
  "${root:?}"/usr/share/ca-certificates "${root:?}"/usr/share/doc-base "${root:?}"/usr/share/base-files "${root:?}"/usr/share/dict \
  "${root:?}"/usr/lib/*/gconv "${root:?}"/usr/lib/*/audit "${root:?}"/usr/lib/*/perl* "${root:?}"/usr/lib/*/libmemusage.so \
  "${root:?}"/usr/lib/*/libpcprofile.so "${root:?}"/usr/bin "${root:?}"/usr/sbin "${root:?}"/usr/share/zoneinfo/right \
  "${root:?}"/usr/share/zoneinfo/posix "${root:?}"/etc/default "${root:?}"/etc/init.d "${root:?}"/etc/cron* "${root:?}"/etc/skel "${root:?}"/etc/update* \
  "${root:?}"/var/cache "${root:?}"/var/backups "${root:?}"/var/local "${root:?}"/var/mail "${root:?}"/home "${root:?}"/root "${root:?}"/media \
  "${root:?}"/mnt "${root:?}"/opt "${root:?}"/srv "${root:?}"/boot "${root:?}"/run "${root:?}"/proc "${root:?}"/sys "${root:?}"/dev "${root:?}"/tmp
find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root/usr/share/doc" -type l -delete

mkdir -p "$root/usr/bin" "$root/etc/equinox" "$root/srv/www" "$root/tmp" "$root/proc" "$root/sys" "$root/dev" "$root/run"
cp "$binary" "$root/usr/bin/equinox"
printf 'root:x:0:0:root:/:/usr/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"

# The cache of the loader would carry times; without one it searches the default folders.
rm -f "$root/etc/ld.so.cache"
loader=$(find "$root/usr/lib64" "$root/usr/lib" -maxdepth 1 -name "ld-linux-*" | head -n 1)
[ -n "$loader" ] || { echo 'there is no loader in the root' >&2; exit 1; }
loaded=$(chroot "$root" "${loader#"$root"}" --list /usr/bin/equinox 2>&1) || loaded="$loaded (not found)"
case $loaded in
  *'not found'*)
    printf 'runtime-packages.txt lacks a library:\n%s\n' "$loaded" >&2
    exit 1
    ;;
esac

mkdir -p "$root/usr/share/doc/equinox"
python3 "$here/sbom.py" "$root" "$version" "$epoch" >"$root/usr/share/doc/equinox/sbom.spdx.json"
cp "$here/../../LICENSE" "$root/usr/share/doc/equinox/copyright"

chown -R 0:0 "$root"
find "$root" -type d -exec chmod 0755 {} +
find "$root" -type f -exec chmod u=rwX,go=rX,a-s {} +
find "$root" -exec touch -h -d "@$epoch" {} +
