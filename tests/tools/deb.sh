#!/bin/sh
# deb.sh FOLDER OUT VERSION: makes OUT/urpe-probe_VERSION_ARCH.deb of the files staged in FOLDER/root.
set -eu
root=$1/root out=$2 version=$3
arch=$(dpkg --print-architecture)
mkdir -p "$1/debian" "$root/DEBIAN"
# dpkg-shlibdeps wants a source's control file beside it.
printf 'Source: urpe-probe\n\nPackage: urpe-probe\nArchitecture: any\n' >"$1/debian/control"
depends=$(cd "$1" && dpkg-shlibdeps -O root/usr/bin/urpe-probe 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
[ "$depends" ] || { echo "deb.sh: dpkg-shlibdeps found no libraries (apt install dpkg-dev)" >&2; exit 3; }
gzip -9n "$root/usr/share/man/man1/urpe-probe.1"
cat >"$root/DEBIAN/control" <<CONTROL
Package: urpe-probe
Version: $version
Architecture: $arch
Maintainer: urpe-probe maintainers <noreply@localhost>
Section: science
Priority: optional
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Depends: $depends
Recommends: gnuplot-nox
Suggests: python3
Description: what a Transformer with a given positional encoding can express
 Certified floors, explicit weights and trained errors for positional
 encodings inside and outside of the softmax, with and without C (URPE).
CONTROL
dpkg-deb --root-owner-group --build "$root" "$out/urpe-probe_${version}_$arch.deb"
