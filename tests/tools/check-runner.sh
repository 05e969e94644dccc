#!/usr/bin/env bash
# Sees that run-tests.sh tells passed, failed and skipped apart.  Not run by the runner, which could
# not be trusted with it.
#   check-runner.sh FAILING    the program of failing.c
set -u
tests=$(cd "$(dirname "$0")" && pwd)/run-tests.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$1" "$work/failing"
cd "$work" || exit 2

program() { # name; its lines come on standard input
    { echo '#!/bin/sh' && cat; } >"$1"
    chmod +x "$1"
}
program passing <<<'echo 1..1; echo "ok 1 - test_skip_is_no_directive"'
program silent <<<':'
program empty <<<'echo 1..0'
program cut-short <<<'echo 1..2; echo "ok 1 - first"'
program dying <<<'echo 1..1; echo "ok 1 - first"; kill -s KILL $$'
program hanging <<<'echo 1..2; echo "ok 1 - first"; sleep 60'
cat >script.bats <<'BATS'
@test "it is ok to skip" { true; }
@test "there is a reason" { skip "not ok here"; }
@test "not ok" { echo "ok 1 no result"; false; }
BATS

wrong=0
# Runs the programs $4.. and expects the counts $1, the exit status $2 and $3 in what it says.
expect() {
    local said status=0
    said=$(TEST_SECONDS=2 "$tests" logs "${@:4}") || status=$?
    if [ "$status" = "$2" ] && grep -q "^$1; " <<<"$said" && grep -qF -e "$3" <<<"$said"; then
        return
    fi
    wrong=1
    printf 'run-tests.sh %s: expected "%s", exit status %s and "%s"; found %s and\n%s\n' \
        "${*:4}" "$1" "$2" "$3" "$status" "$said"
}
expect "1 passed, 1 failed, 1 skipped" 1 "FAILED ./failing: 1 of 3 tests failed" ./failing
expect "1 passed, 1 failed, 1 skipped" 1 "skipped ./failing: test_ok_skips" ./failing
expect "1 passed, 1 failed, 1 skipped" 1 "FAILED script.bats: 1 of 3 tests failed" script.bats
expect "1 passed, 1 failed, 1 skipped" 1 \
    "skipped script.bats: there is a reason: not ok here" script.bats
expect "0 passed, 1 failed, 0 skipped" 1 "FAILED ./silent: no test ran" ./silent
expect "0 passed, 1 failed, 0 skipped" 1 "FAILED ./empty: no test ran" ./empty
expect "0 passed, 1 failed, 0 skipped" 1 "FAILED ./nowhere: no test ran" ./nowhere
expect "1 passed, 1 failed, 0 skipped" 1 "FAILED ./cut-short: 1 tests of 2" ./cut-short
expect "1 passed, 1 failed, 0 skipped" 1 \
    "FAILED ./dying: all tests passed, exit status 137" ./dying
expect "1 passed, 1 failed, 0 skipped" 1 "FAILED ./hanging: no end within 2 s" ./hanging
expect "1 passed, 1 failed, 0 skipped" 1 "FAILED ./silent: no test ran" ./silent ./passing
expect "1 passed, 0 failed, 0 skipped" 0 "1 passed, 0 failed, 0 skipped; 1 programs in " ./passing
exit "$wrong"
