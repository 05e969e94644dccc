#!/bin/sh
# Replays each fuzzer's corpus, then lets it run, and counts: two tests per fuzzer.
#   fuzz.sh [--summary FILE] FOLDER -runs=N|-max_total_time=N FUZZER...
# A crash, a leak, a run over TIMEOUT seconds or an allocation beyond the limits is a failure; the
# input is left in FOLDER/found-NAME/, and belongs into tests/fuzz/corpus/NAME/ with its repair.
set -u
summary=
if [ "${1:-}" = --summary ]; then
    summary=$2
    shift 2
fi
folder=$1 amount=$2
shift 2
passed=0 failed=0
log=$(mktemp)
# Freed memory that the sanitizer keeps counts as the program's own.
export ASAN_OPTIONS="quarantine_size_mb=64:${ASAN_OPTIONS:-}"
trap 'rm -f "$log"' EXIT

verdict() { # status, what
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
        echo "ok $2"
    else
        failed=$((failed + 1))
        echo "FAILED $2 (exit status $1)"
        tail -n 60 "$log"
    fi
}

seeds() { # fuzzer: further inputs to begin with
    case $1 in
    spec) cp experiments/*.yaml tests/spec/wrong/*.yaml "$folder/corpus-spec/" ;;
    checkpoint | data) "$folder/fuzz_$1" --seed "$folder/corpus-$1/valid" ;;
    esac
}

for name in "$@"; do
    mkdir -p "$folder/corpus-$name" "$folder/found-$name"
    seeds "$name"
    limits="-rss_limit_mb=1024 -malloc_limit_mb=512 -timeout=20 -max_len=4096"
    if [ -f "tests/fuzz/$name.dict" ]; then limits="$limits -dict=tests/fuzz/$name.dict"; fi
    # The limits are split on purpose.
    # shellcheck disable=SC2086
    "$folder/fuzz_$name" $limits -runs=0 "tests/fuzz/corpus/$name" >"$log" 2>&1
    verdict $? "replay $name: $(find "tests/fuzz/corpus/$name" -type f | wc -l) inputs"
    # shellcheck disable=SC2086
    "$folder/fuzz_$name" $limits "$amount" -artifact_prefix="$folder/found-$name/" \
        -print_final_stats=1 "$folder/corpus-$name" "tests/fuzz/corpus/$name" >"$log" 2>&1
    status=$?
    verdict $status "fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions"
done
echo "$passed passed, $failed failed, 0 skipped"
if [ -n "$summary" ]; then echo "$passed $failed 0" >>"$summary"; fi
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
