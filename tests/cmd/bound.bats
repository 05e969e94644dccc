# bound: floors of all cells, by several workers.
load help_cmd.bash

battery() {
    cat >battery.yaml <<'SPEC'
seeds: 2
space: {length: 6, channels: 2, inputs: {identical: 0.25, palindrome: 0.25}}
target: {kind: gain, vocab: 3}
model: {layers: 1, heads: 2, width: 8, ffn: 8}
evaluate: {samples: 16, lengths: [4], images: 2, orbit: reversal}
grid:
  model.encoding: [toeplitz, alibi]
  model.attention: [rpe, urpe]
  model.mask: [none, causal]
  target.kind: [gain, position, prefix_sum, token_shift, histogram]
SPEC
}

# With 64 jobs each cell is alone, and has nothing in common with others (run/memo.h).
@test "rows are the same bytes for any number of jobs and threads" {
    battery
    probe bound battery.yaml --format csv --jobs 1 >one.csv
    [ "$(wc -l <one.csv)" -gt 300 ]
    [ "$(grep -c ,possible, one.csv)" -gt 100 ]
    for words in "--jobs 2" "--jobs 3 --threads 2" "--jobs 64"; do
        probe bound battery.yaml --format csv $words | cmp - one.csv
    done
}

# What cells have in common is computed once; a cell alone has nothing in common with others.
@test "rows are the same for a cell alone and among others" {
    battery
    probe bound battery.yaml --format csv --jobs 1 >all.csv
    of() { python3 -c '
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    if row["target"] in sys.argv[2:]:
        print([row[k] for k in row if k not in ("experiment", "spec_hash", "axes")])' "$@"; }
    for target in position prefix_sum token_shift histogram; do
        probe bound battery.yaml --set "target.kind=[$target]" --format csv >alone.csv
        diff <(of alone.csv $target) <(of all.csv $target)
    done
}

@test "a cell that fails costs its own rows" {
    battery
    cat >fails.lua <<'LUA'
return function(x, n, d) if x[1][1] < 0.3 then error("no such thing") end return x end
LUA
    try bound battery.yaml --set 'target=[gain, {kind: lua, file: fails.lua}, position]' --jobs 2 --format csv
    [ "$status" = 1 ]
    [ "$(grep -c 'failed: .*no such thing' <<<"$errors")" = 16 ]
    [ "$(grep -c ,failed, <<<"$output")" = 16 ]
    probe bound battery.yaml --set 'target=[gain,position]' --format csv >others.csv
    rows() { python3 -c '
import csv, sys
for row in csv.DictReader(sys.stdin):
    if row["target"] != "lua":
        print([row[k] for k in row if k not in ("experiment", "spec_hash", "axes", "settings")])'; }
    diff <(rows <<<"$output") <(rows <others.csv)
}

@test "a worker that dies costs one cell, and Ctrl-C leaves nothing" {
    battery
    local slow=(--set seeds=1 --set evaluate.samples=3000 --set evaluate.lengths=[4,5,6] --format csv --jobs 2)
    "$URPE_PROBE" bound battery.yaml "${slow[@]}" --set evaluate.samples=600 >out.csv 2>err.txt &
    until child=$(pgrep -P $!); do sleep 0.05; done
    kill -KILL ${child%%$'\n'*}
    status=0
    wait $! || status=$?
    [ "$status" = 1 ]
    [ "$(grep -c 'failed: the worker was killed by signal 9' err.txt)" = 1 ]
    [ "$(grep -c ,failed, out.csv)" = 1 ]
    [ "$(cut -d, -f2 out.csv | sort -u | wc -l)" -ge 40 ]
    for seconds in 0.3 1; do
        status=0
        timeout --preserve-status -s INT $seconds "$URPE_PROBE" bound battery.yaml "${slow[@]}" --out out 2>err.txt >out.csv || status=$?
        [ "$status" = 130 ]
        [ ! -s out.csv ]
        [ ! -e out/bound.csv ]
        [ -z "$(grep -vx 'urpe-probe: interrupted' err.txt)" ] # killed before it could speak, it says nothing
    done
}
