# A stop takes effect within seconds in every phase, however long that phase would take, and leaves
# no process behind.
load help
load session

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    # Drawing the evaluation set takes minutes.
    cat >drawing.yaml <<'YAML'
name: drawing
space: {length: 8, channels: 1}
target: {kind: lua, y: "(function() local s = 0 for k = 1, 100000 do s = s + k end return x[i][c] end)()"}
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

@test "a first signal ends a run that draws samples" {
    local each signal
    for each in INT:group TERM:coordinator HUP:group ${URPE_FULL:+INT:coordinator TERM:group HUP:coordinator}; do
        signal=${each%:*}
        start run drawing.yaml --jobs 1 --out "$each"
        eventually has_lock "$each"
        stop_with "$signal" "${each#*:}"
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        grep -q interrupted messages
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
