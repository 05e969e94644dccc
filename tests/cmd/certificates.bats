#!/usr/bin/env bats
# urpe-probe-check, which trusts nothing: certificates by an exhaustive refinement, and lies about them.

setup() {
    command -v python3 >/dev/null || skip "no python3"
    here=$BATS_TEST_DIRNAME
    check=$here/../../cmd/urpe-probe-check/urpe-probe-check
}

# Runs tests of certificates.py and shows what it counts.
tests() {
    python3 -B "$here/certificates.py" "$check" "$@" 2>&1 | tee "$BATS_TEST_TMPDIR/log"
    grep '^# ' "$BATS_TEST_TMPDIR/log" >&3 || true
    tail -n 1 "$BATS_TEST_TMPDIR/log" | grep -q '^OK'
}

@test "certificates by hand: figures, and what is wrong with which pair" { tests ByHand; }

@test "certificates of every class are valid, and 2,000 lies are refused unless they are true" {
    tests Certificates
}

@test "the checker needs nothing but Python's own library, and has at most 400 lines" {
    run python3 -I -S -B "$check" --help
    [ "$status" = 0 ]
    [ "$(wc -l <"$check")" -le 400 ]
}
