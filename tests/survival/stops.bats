# A stop takes effect within seconds in every phase, however long that phase would take, and leaves
# no process behind.
load help
load session

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    local slow="(function() local s = 0 for k = 1, 100000 do s = s + k end return"
    drawing_spec drawing "{kind: lua, y: \"$slow x[i][c] end)()\"}" "{}"
    drawing_spec inputs gain "{lua: {share: 1, x: \"$slow r.a end)()\"}}"
}

# Drawing the evaluation set takes minutes.
drawing_spec() {
    cat >"$1.yaml" <<YAML
name: drawing
space: {length: 8, channels: 1, inputs: $3}
target: $2
model: {layers: 1, heads: 1, width: 8, ffn: 8}
train: {steps: 2, batch: 2}
evaluate: {samples: 20000}
seeds: 2
YAML
}
teardown() { [ -z "${pid:-}" ] || kill -s KILL -- "-$pid" 2>/dev/null || true; }

has_lock() { [ -n "$(ls "$1"/cells/*/lock 2>/dev/null)" ]; } # a cell's, which draws now

# Sends signal $1 to $2, and waits for the end.
stop_with() {
    stop "$1" "$2"
    wait_for_end "$2"
}

# A step's samples, or the evaluation set.  A worker that only the alarm ends leaves no checkpoint.
@test "a first signal ends a run that draws samples, and leaves a checkpoint" {
    local each signal whom spec options
    for each in "INT group drawing --set train.batch=20000 --set evaluate.samples=4" \
        "TERM coordinator drawing" "HUP group inputs"; do
        read -r signal whom spec options <<<"$each"
        # shellcheck disable=SC2086
        start run "$spec.yaml" --jobs 1 --out "$signal" $options
        eventually has_lock "$signal"
        sleep 0.3
        stop_with "$signal" "$whom"
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        grep -q interrupted messages
        [ -n "$(ls "$signal"/cells/*/checkpoint)" ]
    done
}

@test "no worker outlives its coordinator" {
    start run drawing.yaml --jobs 2 --out killed
    eventually works 3
    stop_with KILL coordinator
    start run drawing.yaml --jobs 2 --out twice
    eventually works 3
    kill -s INT "$pid"
    sleep 0.3
    stop_with INT coordinator
}

@test "commands without workers end, too" {
    local command
    for command in bound witness; do
        start "$command" drawing.yaml
        sleep 1
        stop_with TERM coordinator
        [ "$status" -eq 143 ]
    done
}

@test "stops at random moments leave nothing, and the results are those of a run without" {
    "$BATS_TEST_DIRNAME/random-stops.sh" "${URPE_STOPS:-8}" "${URPE_STOPS_SEED:-1}" >stops || { cat stops; false; }
    grep -q '^[1-9][0-9]* passed, 0 failed$' stops
}
