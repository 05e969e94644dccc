#!/bin/sh
# Unpacks the arm64 libraries that the program is linked with into FOLDER, beside the machine's own:
# their packages cannot be installed, since those of two machine types exclude each other.
#   root.sh FOLDER
set -eu
root=$1
packages='libgsl-dev libgsl27 libgslcblas0 libopenblas-pthread-dev libopenblas0-pthread libgfortran5
    libyaml-dev libyaml-0-2 libcjson-dev libcjson1 nettle-dev libnettle8 libgmp10 liblua5.4-dev
    liblua5.4-0 zlib1g-dev zlib1g libcmocka-dev libcmocka0'
# shellcheck disable=SC2086
wanted=$(printf '%s:arm64 ' $packages)
[ "$(cat "$root/unpacked" 2>/dev/null)" != "$wanted" ] || exit 0

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
if ! dpkg --print-foreign-architectures | grep -qx arm64; then $sudo dpkg --add-architecture arm64; fi
# shellcheck disable=SC2086
if ! apt-cache show $wanted >/dev/null 2>&1; then $sudo apt-get update -qq; fi
rm -rf "$root" "$root.packages"
mkdir -p "$root" "$root.packages"
# shellcheck disable=SC2086
(cd "$root.packages" && apt-get download -qq $wanted)
for package in "$root.packages"/*.deb; do dpkg-deb -x "$package" "$root"; done
rm -r "$root.packages"
echo "$wanted" >"$root/unpacked"
