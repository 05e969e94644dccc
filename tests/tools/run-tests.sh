#!/bin/sh
# Runs test programs (cmocka) and scripts (*.bats) and counts.  The exit status is the verdict: 0
# only when at least one test ran and none failed.  A program that dies counts as a failure.
#   run-tests.sh [--summary FILE] PROGRAM...
set -u
summary=
if [ "${1:-}" = --summary ]; then
    summary=$2
    shift 2
fi
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

count() { grep -c "$1" "$log"; }
for program in "$@"; do
    case $program in
    *.bats) bats --tap "$program" >"$log" 2>&1; status=$?
        skip=$(count '^ok .*# skip')
        good=$(($(count '^ok ') - skip)) bad=$(count '^not ok ') ;;
    *) "$program" >"$log" 2>&1; status=$?
        good=$(count '^\[ *OK \]') bad=$(count '^\[  FAILED  \] [^0-9]') skip=$(count '^\[  SKIPPED \] [^0-9]') ;;
    esac
    if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    if [ "$status" = 0 ] && [ $((good + bad + skip)) = 0 ]; then bad=1; fi
    if [ "$bad" != 0 ]; then
        echo "FAILED $program (exit status $status)"
        cat "$log"
    elif [ "$skip" != 0 ]; then
        grep -i -E 'skip' "$log" | sed "s|^|skipped: |"
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
done
echo "$passed passed, $failed failed, $skipped skipped"
if [ -n "$summary" ]; then echo "$passed $failed $skipped" >>"$summary"; fi
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
