# Shared by the tests of certificates: what they need, and tests of certificates.py.
setup() {
    command -v python3 >/dev/null || skip "no python3"
    here=$BATS_TEST_DIRNAME
    check=$here/../../cmd/urpe-probe-check/urpe-probe-check
}

# Runs tests of certificates.py and shows what it counts.
tests() {
    python3 -B "$here/certificates.py" "$check" "$@" 2>&1 | tee "$BATS_TEST_TMPDIR/log"
    sed -n '/^# /p' "$BATS_TEST_TMPDIR/log" >&3
    tail -n 1 "$BATS_TEST_TMPDIR/log" | grep -q '^OK'
}
