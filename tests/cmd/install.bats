# What `make install` and `make deb` put somewhere, and that it goes again.
load help_cmd

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    mkdir -p "$BATS_TEST_TMPDIR/build"
    cp "$URPE_PROBE" "$BATS_TEST_TMPDIR/build/urpe-probe"
}
# A build folder of its own, with the program as it is tested and nothing to be built again.
make_here() { make --no-print-directory -o "$BATS_TEST_TMPDIR/build/urpe-probe" BUILD="$BATS_TEST_TMPDIR/build" "$@"; }

@test "install to a prefix without root, then uninstall: nothing of ours is left" {
    make_here install PREFIX="$BATS_TEST_TMPDIR/prefix" >/dev/null
    [ "$("$BATS_TEST_TMPDIR/prefix/bin/urpe-probe" --version | head -n 1)" = "$("$URPE_PROBE" --version | head -n 1)" ]
    touch "$BATS_TEST_TMPDIR/prefix/bin/another"
    make_here uninstall PREFIX="$BATS_TEST_TMPDIR/prefix" >/dev/null
    [ "$(find "$BATS_TEST_TMPDIR/prefix" -type f)" = "$BATS_TEST_TMPDIR/prefix/bin/another" ]
}

@test "a Debian package installs and removes cleanly" {
    command -v dpkg-shlibdeps >/dev/null || skip "dpkg-dev is not installed"
    [ "$(id -u)" = 0 ] || skip "dpkg needs root"
    make_here deb >/dev/null
    root=$BATS_TEST_TMPDIR/root
    mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers"
    touch "$root/var/lib/dpkg/status" "$root/var/lib/dpkg/available"
    package=$(echo "$BATS_TEST_TMPDIR"/build/urpe-probe_*.deb)
    dpkg --root="$root" --force-depends --log=/dev/null -i "$package" >/dev/null 2>&1
    "$root/usr/bin/urpe-probe" --version >/dev/null
    [ -e "$root/usr/share/man/man1/urpe-probe.1.gz" ]
    dpkg-deb -f "$package" Depends | grep -q libyaml
    dpkg --root="$root" --log=/dev/null -r urpe-probe >/dev/null 2>&1
    [ -z "$(find "$root" -name '*urpe-probe*')" ]
}
