#!/usr/bin/env bats
# urpe-probe-check, which trusts nothing: certificates by an exhaustive refinement, and lies about them.
load help_certificates

@test "certificates by hand: figures, and what is wrong with which pair" { tests ByHand; }

@test "certificates of every class are valid, and 2,000 lies are refused unless they are true" {
    tests Certificates
}

@test "the checker needs nothing but Python's own library, and has at most 400 lines" {
    run python3 -I -S -B "$check" --help
    [ "$status" = 0 ]
    [ "$(wc -l <"$check")" -le 400 ]
}
