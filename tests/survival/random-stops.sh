#!/usr/bin/env bash
# Stops a run, a report, a search for floors or witnesses at random moments with a random signal to a
# random part of it: everything must end within 5 s of processor time (of the wall clock where the
# machine is idle), at once under KILL; no process is left, and a run resumes to the same bytes.
#   random-stops.sh COUNT [SEED]
# Works in the folder it is called in.  A stop that fails its test is printed, and the status is 1.
set -u
# shellcheck source=tests/survival/help.bash
BATS_TEST_DIRNAME=$(cd "$(dirname "$0")" && pwd) && . "$BATS_TEST_DIRNAME/help.bash"
count=$1 RANDOM=${2:-1} failed=0
. "$BATS_TEST_DIRNAME/session.bash"

# Every phase of a run in a quarter of a second each, on two workers: drawing (Lua), floors, training, the search
# for the worst input, witness, tables.
cat >phases.yaml <<'YAML'
name: phases
space: {length: 24, channels: 2, inputs: {identical: 0.5}}
target: gain
model: {layers: 1, heads: 2, width: 16, ffn: 16}
train: {steps: 400, batch: 8}
evaluate: {samples: 200, every: 50, witness: always, adversary: {starts: 3}}
grid: {model.attention: [rpe, urpe]}
cases:
  - {target: gain}
  - {target: {kind: lua, y: "(function() local s = 0 for k = 1, 40 do s = s + k end return x[i][c] end)()"}}
YAML
sed -e 's/^name.*/name: long/; s/samples: 200/samples: 20000/' phases.yaml >long.yaml
begun=$(date +%s%N)
"$PROBE" run phases.yaml --jobs 2 --out whole >/dev/null 2>messages || { cat messages; exit 1; }
"$PROBE" report whole --no-claims >/dev/null 2>messages || { cat messages; exit 1; }
span=$((($(date +%s%N) - begun) / 1000000)) # ms: when a stop may come

one_of() { shift $((RANDOM % $#)); echo "$1"; }

# Starts what $1 names, and lets it go on for a while.
begin() {
    local wait=$((RANDOM % span))
    case $1 in
    run) start run phases.yaml --jobs 2 --out part ;;
    report) start report folder --no-claims ;;
    *) start "$1" long.yaml ;;
    esac
    sleep "$((wait / 1000)).$(printf %03d $((wait % 1000)))"
}

for k in $(seq "$count"); do
    phase=$(one_of run run run report bound witness) signal=$(one_of INT TERM HUP KILL)
    whom=$(one_of group coordinator worker)
    rm -rf part folder
    cp -r whole folder
    begin "$phase"
    stop "$signal" "$whom"
    wait_for_end "$whom" || { kill -s KILL -- "-$pid"; bad=" does not end"; }
    [ -z "${bad:=}" ] && ! gone && bad=" leaves a process"
    if [ -z "$bad" ] && [ "$phase" = run ]; then
        "$PROBE" run phases.yaml --jobs 2 --out part >/dev/null 2>messages &&
            same_results whole part >differs || bad=" does not resume to the same bytes"
    fi
    if [ -z "$bad" ] && [ "$phase" = report ]; then
        "$PROBE" report folder --no-claims >/dev/null 2>messages &&
            [ -z "$(find folder -name '.tmp-*')" ] || bad=" cannot be repeated"
    fi
    [ -z "$bad" ] || failed=$((failed + 1))
    echo "$k: $phase, $signal to $whom, status $status, $took s$bad"
    [ -z "$bad" ] || cat messages differs 2>/dev/null
    bad=
done
echo "$((count - failed)) passed, $failed failed"
[ "$failed" = 0 ]
