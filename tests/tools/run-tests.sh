#!/usr/bin/env bash
# Runs test programs, TEST_JOBS at once (one more than there are cores, since some wait), and counts.  The
# exit status is the verdict: 0 only when at least one test passed and none failed.
#   run-tests.sh [--summary FILE] FOLDER PROGRAM...
# Programs speak TAP: those of cmocka when CMOCKA_MESSAGE_OUTPUT says so, scripts (*.bats) through
# bats.  One that says nothing, dies, leaves out a test that it announced, or takes more than
# TEST_SECONDS has failed, and its output is shown; FOLDER keeps the output of all.  The slowest of
# the last time come first, so that no long one is left over at the end.
set -u
limit=${TEST_SECONDS:-300}

log_of() { echo "$1/$(tr / - <<<"$2")"; }

# Reads a log; prints "passed failed skipped why-it-failed", then the name of each skipped test.
judge() { # log, exit status, seconds taken
    awk -v status="$2" -v took="$3" -v limit="$limit" '
        /^1\.\.[0-9]+/ {planned += substr($1, 4)}
        !/^(not )?ok [0-9]+ / {next}
        /^not ok [0-9]+ # SKIP [A-Za-z0-9_]+$/ || /^ok [0-9]+ .*# [Ss][Kk][Ii][Pp]/ {
            sub(/^(not )?ok [0-9]+ (# SKIP |- )?/, "")
            sub(/ # [Ss][Kk][Ii][Pp] ?/, ": ")
            skip[++skipped] = $0
            next
        }
        {if ($1 == "ok") passed++; else failed++}
        END {
            ran = passed + failed + skipped
            if ((status == 124 || status == 137) && took >= limit)
                why = "no end within " limit " s"
            else if (ran == 0)
                why = "no test ran"
            else if (ran != planned)
                why = ran " tests of " planned + 0
            else if (failed)
                why = failed " of " ran " tests failed"
            if (status != 0)
                why = (why ? why : "all tests passed") ", exit status " status
            print passed + 0, why && !failed ? 1 : failed + 0, skipped + 0, why
            for (k = 1; k <= skipped; k++)
                print skip[k]
        }' "$1"
}

if [ "$1" = --one ]; then # FOLDER PROGRAM: what xargs starts below
    log=$(log_of "$2" "$3")
    read -ra runner <<<"${EMULATOR:-}"
    [[ $3 != *.bats ]] || runner=(bats --tap)
    own=$(mktemp -d) && chmod 755 "$own" || exit 2 # some tests become another user
    export TMPDIR=$own # what the program makes it makes there
    SECONDS=0
    set -m # a group of its own, in which SIGINT means what it does in a terminal
    CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 "$limit" "${runner[@]}" "$3" >"$log.log" 2>&1 \
        </dev/null &
    trap 'kill "$!"; rm -rf "$own"; exit 130' INT TERM
    status=0
    wait "$!" 2>/dev/null || status=$?
    chmod -R u+rwx "$own" && rm -rf "$own"
    judge "$log.log" "$status" "$SECONDS" >"$log.result"
    echo "$SECONDS $3"
    exit 0
fi

summary=/dev/null
if [ "$1" = --summary ]; then
    summary=$2
    shift 2
fi
folder=$1
shift
mkdir -p "$folder" && touch "$folder/seconds" && : >"$folder/seconds.new" || exit 2

# A shim in its place, as pyenv's, takes longer to find Python than Python takes to start.
python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null) &&
    [ ! "$python" -ef "$(command -v python3)" ] && export PATH="${python%/*}:$PATH"

# Those of which nothing is known come first, in the order given.
slowest_first() {
    printf '%s\n' "$@" |
        awk 'known {took[$2] = $1; next} {print ($1 in took ? took[$1] : 1e9), $1}' \
            known=1 "$folder/seconds" known=0 - | sort -s -k 1,1nr | cut -d ' ' -f 2
}

# Says what there is to say about a program, and adds it up.
show() {
    local log good bad skip why line
    log=$(log_of "$folder" "$1")
    {
        read -r good bad skip why
        if [ "$bad" != 0 ]; then
            echo "FAILED $1: $why"
            head -n 100 "$log.log"
            [ "$(wc -l <"$log.log")" -le 100 ] || echo "... the rest is in $log.log"
        fi
        while read -r line; do echo "skipped $1: $line"; done
    } <"$log.result"
    seen=$((seen + 1)) passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
}

seen=0 passed=0 failed=0 skipped=0
while read -r took program; do
    show "$program"
    echo "$took $program" >>"$folder/seconds.new"
done < <(slowest_first "$@" | xargs -P "${TEST_JOBS:-$(($(nproc) + 1))}" -n 1 "$0" --one "$folder")
awk '!known[$2]++' "$folder/seconds.new" "$folder/seconds" >"$folder/seconds.all"
rm "$folder/seconds.new" && mv "$folder/seconds.all" "$folder/seconds"
if [ "$seen" != $# ]; then
    echo "FAILED: $seen of $# programs were run"
    failed=$((failed + $# - seen))
fi
echo "$passed passed, $failed failed, $skipped skipped; $# programs in $SECONDS s"
echo "$passed $failed $skipped" >>"$summary"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
