# What a run leaves when it is interrupted, when the disk is full, and when it may not write.
load help

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    small_spec small.yaml
}

# Starts a run that needs a while, with options $2.., waits until it trains, sends signal $1; sets
# status.
interrupted_by() {
    small_spec long.yaml 20000
    "$PROBE" run long.yaml --jobs 1 --out partial "${@:2}" 2>messages >/dev/null &
    local pid=$!
    eventually has_cell partial
    sleep 0.3
    kill -s "$1" "$pid"
    status=0
    wait "$pid" || status=$?
}

@test "SIGINT exits 130, says how to resume and leaves a checkpoint" {
    interrupted_by INT
    [ "$status" -eq 130 ]
    grep -q 'same command' messages
    [ -n "$(ls partial/cells/*/checkpoint)" ]
    [ -z "$(ls partial/cells/*/row.csv 2>/dev/null)" ]
    [ -z "$(find partial -name '.tmp-*')" ]
}

@test "what it says about resuming holds under --force too" {
    interrupted_by INT --force
    [ "$status" -eq 130 ]
    grep -q 'same command without --force goes on' messages
}

@test "SIGTERM exits 143, says how to resume and leaves a checkpoint" {
    interrupted_by TERM
    [ "$status" -eq 143 ]
    grep -q 'same command' messages
    [ -n "$(ls partial/cells/*/checkpoint)" ]
}

@test "SIGINT in the evaluation after the last step exits 130 and keeps what was trained" {
    cat >long.yaml <<YAML
name: long
space: {length: 8, channels: 1}
target: gain
model: {layers: 2, heads: 2, width: 32, ffn: 64}
train: {steps: 500, batch: 2}
evaluate: {samples: 4000, lengths: [1024]}
YAML
    "$PROBE" run long.yaml --jobs 1 --out partial 2>messages >/dev/null &
    local pid=$!
    eventually has_cell partial
    sleep 1 # trained: the evaluation takes much longer
    kill -s INT "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 130 ]
    [ -n "$(ls partial/cells/*/checkpoint)" ]
    [ -z "$(ls partial/cells/*/row.csv 2>/dev/null)" ]
}

@test "a signal to the whole process group leaves checkpoints too, and the run goes on from them" {
    small_spec small.yaml 8000
    "$PROBE" run small.yaml --jobs 2 --out whole >/dev/null 2>&1
    setsid "$PROBE" run small.yaml --jobs 2 --out partial >/dev/null 2>messages &
    local pid=$!
    eventually has_cell partial
    sleep 0.2
    kill -s TERM -- "-$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 143 ]
    [ -n "$(ls partial/cells/*/checkpoint)" ]
    "$PROBE" run small.yaml --out partial >/dev/null 2>messages
    run cat messages
    [[ "$output" != *"starts again"* ]]
    same_results whole partial
}

@test "a damaged checkpoint is named and its cell starts again" {
    interrupted_by TERM
    checkpoint=$(ls partial/cells/*/checkpoint)
    size=$(wc -c <"$checkpoint")
    printf '\377' | dd of="$checkpoint" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
    # The message comes at once; nobody waits for the end.
    "$PROBE" run long.yaml --jobs 1 --out partial >/dev/null 2>again &
    local pid=$!
    eventually grep -q 'starts again' again
    kill -s TERM "$pid"
    local status=0
    wait "$pid" || status=$?
    [ "$status" -eq 143 ]
    grep -q 'checksum' again
    grep -q "$checkpoint" again
}

@test "a file size limit ends the run with status 3 and loses nothing" {
    "$PROBE" run small.yaml --out whole >/dev/null 2>&1
    "$PROBE" run small.yaml --out full --shard 0/4 >/dev/null 2>&1
    cp full/results.csv before.csv
    status=0
    (ulimit -f 1 && "$PROBE" run small.yaml --out full) >/dev/null 2>messages || status=$?
    [ "$status" -eq 3 ]
    grep -q 'File too large' messages
    [ -z "$(find full -name '.tmp-*')" ]
    cmp before.csv full/results.csv
    "$PROBE" run small.yaml --out full >/dev/null 2>&1
    same_results whole full
}

@test "a full disk ends the run with status 3 and loses nothing" {
    mkdir disk
    mount -t tmpfs -o size=160k none disk 2>/dev/null || skip "a tmpfs cannot be mounted here"
    status=0
    "$PROBE" run small.yaml --out disk/r >/dev/null 2>messages || status=$?
    left=$(find disk -name '.tmp-*')
    message=$(cat messages)
    mount -o remount,size=64m disk
    second=0
    "$PROBE" run small.yaml --out disk/r >/dev/null 2>&1 || second=$?
    cp -r disk/r full
    umount disk
    [ "$status" -eq 3 ]
    [[ "$message" == *"No space left"* ]]
    [ -z "$left" ]
    [ "$second" -eq 0 ]
    "$PROBE" run small.yaml --out whole >/dev/null 2>&1
    same_results whole full
}

@test "a folder that may not be written exits 3 and names it" {
    local open as_nobody=()
    open=$(mktemp -d) # root writes everywhere, so the test becomes somebody else
    cp "$PROBE" "$open/probe"
    cp small.yaml "$open"
    mkdir "$open/locked"
    if [ "$(id -u)" = 0 ]; then
        as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
        chmod 755 "$open"
        "${as_nobody[@]}" "$open/probe" --version >/dev/null || skip "cannot become another user"
    else
        chmod a-w "$open/locked"
    fi
    run "${as_nobody[@]}" "$open/probe" run "$open/small.yaml" --out "$open/locked/r"
    chmod u+w "$open/locked"
    rm -r "$open"
    [ "$status" -eq 3 ]
    [[ "$output" == *locked/r* ]]
    [[ "$output" == *"Permission denied"* ]]
}

@test "a path below a regular file exits 3 and names it" {
    echo x >file
    run "$PROBE" run small.yaml --out file/r
    [ "$status" -eq 3 ]
    [[ "$output" == *file* ]]
    [ "$(cat file)" = x ]
}

@test "a worker that is killed costs its own cell, and the next run makes up for it" {
    small_spec small.yaml 12000
    "$PROBE" run small.yaml --out whole >/dev/null 2>&1
    "$PROBE" run small.yaml --jobs 2 --out hurt >/dev/null 2>messages &
    local pid=$!
    # A worker may end between being found and being hit: then the next one is.
    hit_child() { kill -s KILL "$(children_of "$pid" | head -n 1)" 2>/dev/null; }
    eventually has_cell hurt
    eventually hit_child
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 1 ]
    grep -q 'signal 9' messages
    [ "$(stable hurt/results.csv | grep -c ',failed,')" -eq 1 ]
    "$PROBE" run small.yaml --out hurt >/dev/null 2>&1
    same_results whole hurt
}
