# Many processes at once: one shared CSV file, one shared folder, shards under GNU parallel.
load help

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    small_spec small.yaml
}

@test "64 processes add to one CSV file: every row once, none torn" {
    local pids=() k
    for k in $(seq 64); do
        "$PROBE" run small.yaml --quiet --jobs 1 --out "out/$k" --csv all.csv --set "seeds=[$k]" \
            --set train.steps=0 --set target.kind=gain --set model.attention=urpe &
        pids+=($!)
    done
    for k in "${pids[@]}"; do wait "$k"; done
    # 64 cells x (all, generic, identical), under one header, each row with as many fields.
    [ "$(wc -l <all.csv)" -eq $((1 + 64 * 3)) ]
    [ "$(awk -F, '{print NF}' all.csv | sort -u | wc -l)" -eq 1 ]
    [ "$(tail -n +2 all.csv | cut -d, -f2,8,9 | sort -u | wc -l)" -eq $((64 * 3)) ]
    [ "$(tail -n +2 all.csv | cut -d, -f3 | sort -nu | wc -l)" -eq 64 ]
    # The same call again adds nothing.
    cp all.csv before.csv
    "$PROBE" run small.yaml --quiet --out out/7 --csv all.csv --set "seeds=[7]" \
        --set train.steps=0 --set target.kind=gain --set model.attention=urpe
    cmp before.csv all.csv
}

@test "two runs in one folder share the work" {
    small_spec small.yaml 1000
    "$PROBE" run small.yaml --out whole >/dev/null 2>&1
    "$PROBE" run small.yaml --jobs 1 --out shared >/dev/null 2>first &
    local a=$!
    "$PROBE" run small.yaml --jobs 1 --out shared >/dev/null 2>second &
    local b=$!
    wait "$a"
    wait "$b"
    trained() { sed -n 's/.*: \([0-9]*\) trained.*/\1/p' "$1"; }
    [ $(($(trained first) + $(trained second))) -eq 8 ]
    same_results whole shared
}

@test "shards under GNU parallel end with the single run's bytes, a killed one included" {
    command -v parallel >/dev/null || skip "GNU parallel is not installed"
    small_spec small.yaml 6000
    "$PROBE" run small.yaml --out whole >/dev/null 2>&1
    # Shard 1 dies at its first try, by SIGKILL to the whole of it; parallel starts it again.
    cat >shard.sh <<'SH'
set -m
"$1" run small.yaml --quiet --jobs 1 --out shared --shard "$2/4" &
if [ "$2" = 1 ] && mkdir first-try 2>/dev/null; then
    sleep 0.3
    kill -s KILL -- "-$!" && touch killed
fi
wait "$!"
SH
    PARALLEL_HOME=$PWD parallel --will-cite --jobs 2 --retries 3 bash shard.sh "$PROBE" {} \
        ::: 0 1 2 3 2>messages
    [ -e killed ]
    "$PROBE" report shared >/dev/null 2>&1
    same_results whole shared
}

@test "shards in folders of their own are merged by report" {
    "$PROBE" run small.yaml --out whole >/dev/null 2>&1
    local k
    for k in 0 1 2; do
        "$PROBE" run small.yaml --quiet --out "part$k" --shard "$k/3"
    done
    "$PROBE" report part0 part1 part2 --out merged >/dev/null 2>&1
    diff <(stable whole/results.csv) <(stable merged/results.csv)
}
