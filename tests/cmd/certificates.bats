#!/usr/bin/env bats
# urpe-probe-check, which trusts nothing: certificates by an exhaustive refinement, and lies about them.
load help_certificates

@test "certificates by hand: figures, and what is wrong with which pair" { tests ByHand; }

@test "certificates of every class are valid, and 500 (URPE_FULL: 2,000) lies are refused unless they are true" {
    tests Certificates
}

@test "the checker needs nothing but Python's own library, and has at most 400 lines of at most 120" {
    run python3 -I -S -B "$check" --help
    [ "$status" = 0 ]
    [ "$(wc -l <"$check")" -le 400 ]
    [ -z "$(grep -E '.{121}' "$check")" ]
}

@test "whoever reads what the checker says may stop" {
    cd "$BATS_TEST_TMPDIR"
    yes absent | head -n 20000 | xargs python3 -B "$check" 2>messages | head -n 1
    [ -z "$(grep Traceback messages)" ]
}

@test "a small file that unpacks to gigabytes is refused, and not unpacked" {
    cd "$BATS_TEST_TMPDIR"
    head -c 67108864 /dev/zero | gzip >part
    for _ in $(seq 48); do cat part; done >bomb
    run bash -c 'ulimit -v 1048576; exec python3 -B "$0" bomb' "$check"
    [ "$status" = 1 ]
    [ "$output" = "bomb: NOT valid: it has more than 256 MiB" ]
}
