# Commands other than run when files may not grow: an exit status of 3 with a message, and what was
# there stays as it was.
load help

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    small_spec small.yaml 5
    "$PROBE" run small.yaml --out done --csv shared.csv --set seeds=[0] >/dev/null 2>&1
}

# Runs the program with files of at most 1 KiB; sets status.
limited() {
    status=0
    (ulimit -f 1 && "$PROBE" "$@") >/dev/null 2>messages || status=$?
}

@test "report leaves the tables that were there" {
    cp -r done before
    rm done/results.csv
    cp before/results.csv done/results.csv
    limited report done
    [ "$status" -eq 3 ]
    grep -q 'File too large' messages
    cmp before/results.csv done/results.csv
    [ -z "$(find done -name '.tmp-*')" ]
}

@test "a figure that does not fit keeps the old one, and the others are drawn" {
    command -v gnuplot >/dev/null || skip "gnuplot is not installed"
    "$PROBE" report done --no-claims --quiet
    cp -r done before
    rm done/figures/floor-small.svg
    status=0
    (ulimit -f 60 && "$PROBE" report done --no-claims) >/dev/null 2>messages || status=$?
    [ "$status" -eq 3 ]
    grep -q '^figure matrices-small: ' messages
    cmp before/figures/matrices-small.svg done/figures/matrices-small.svg
    grep -q '</svg>' done/figures/floor-small.svg
    cmp before/report.html done/report.html
    [ -z "$(find done -name '.tmp-*')" ]
}

@test "bound --out says that it could not write" {
    limited bound small.yaml --out floors
    [ "$status" -eq 3 ]
    grep -q 'File too large' messages
    [ -z "$(find floors -name '.tmp-*')" ]
}

@test "a shared csv keeps its rows" {
    cp shared.csv before.csv
    limited run small.yaml --out done --csv shared.csv --set seeds=[0] --force
    [ "$status" -eq 3 ]
    cmp before.csv shared.csv
}

@test "a full device on standard output is an error" {
    [ -w /dev/full ] || skip "there is no /dev/full"
    status=0
    "$PROBE" bound small.yaml >/dev/full 2>messages || status=$?
    [ "$status" -eq 3 ]
    [ -s messages ]
}

done_or_told() { [ "$status" -eq 0 ] || { [ "$status" -eq 3 ] && grep -q 'ulimit -v' messages; }; }

@test "a limit on address space is an error that names it, and never a hang" {
    local limit command
    (ulimit -v 4000000 && "$PROBE" --version >/dev/null 2>&1) || skip "this build needs more than that"
    for limit in 100000 150000 250000 350000; do
        for command in "run --out low --force" check "check --set target.kind=lua"; do
            status=0
            # shellcheck disable=SC2086
            (ulimit -v "$limit" && timeout 20 "$PROBE" $command small.yaml) >/dev/null 2>messages ||
                status=$?
            done_or_told
        done
    done
    for command in "check small.yaml" "bench --kinds"; do
        status=0
        # shellcheck disable=SC2086
        (ulimit -v 150000 && timeout 20 "$PROBE" $command) >/dev/null 2>messages || status=$?
        [ "$status" -eq 3 ]
    done
}
