# Nothing is lost, and nothing that is missing is passed over in silence.
load help

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    small_spec small.yaml 5
}
small() { "$PROBE" run small.yaml --quiet --set seeds=[0] "$@"; }

@test "a shared file has its rows through every one of its names" {
    local pids=() k
    ln -s all.csv other.csv
    for k in 1 2 3 4 5 6 7 8; do
        "$PROBE" run small.yaml --quiet --jobs 1 --out "out/$k" --set "seeds=[$k]" --set train.steps=0 \
            --csv "$([ $((k % 2)) = 0 ] && echo all.csv || echo other.csv)" &
        pids+=($!)
        touch all.csv # a link may not dangle
    done
    for k in "${pids[@]}"; do wait "$k"; done
    [ "$(tail -n +2 all.csv | cut -d, -f2,8,9 | sort -u | wc -l)" -eq $((8 * 4 * 3)) ]
    [ "$(tail -n +2 all.csv | wc -l)" -eq $((8 * 4 * 3)) ]
}

@test "a shared file whose last line is cut off is refused before training" {
    small --csv all.csv
    truncate -s -3 all.csv
    cp all.csv before.csv
    run small --out again --csv all.csv
    [ "$status" -eq 2 ]
    [[ "$output" == *"last line is cut off"* ]]
    cmp before.csv all.csv
    [ ! -e again ]
}

@test "what would fail at the end fails before training" {
    local long name
    long=$(printf '%0250d' 0)
    ln -s nowhere dangling
    ln -s nowhere/x.csv deeper
    mkdir folder.csv
    for name in dangling deeper absent/x.csv "$long" "$long/$long" folder.csv folder.csv/ /dev/full \
        small.yaml/x; do
        run small --out again --csv "$name"
        [ "$status" -eq 3 ] || [ "$status" -eq 2 ]
        [ ! -e again ]
    done
    for name in results summary tables; do
        mkdir -p "blocked/$name.csv"
        run small --out blocked
        [ "$status" -eq 3 ]
        [ ! -e blocked/cells ]
        rmdir "blocked/$name.csv"
    done
    small --out done
    cell=$(find done/cells/* -maxdepth 0 | head -n 1)
    for name in dangling absent/y "$long$long" folder.csv /dev/full; do
        run "$PROBE" predict "$cell" --input absent --output "$name"
        [ "$status" -eq 3 ]
        [[ "$output" != absent:* ]] # the input, which is read later
    done
    run "$PROBE" bound small.yaml --out small.yaml
    [ "$status" -eq 3 ]
}

@test "a damaged copy of a user's file is mended" {
    mkdir lua
    echo 'function y(x, n, d) return x end' >lua/same.lua
    lua() { "$PROBE" run small.yaml --quiet --set seeds=[0] --out own \
        --set 'target={kind: lua, file: lua/same.lua}' "$@"; }
    sed -i 's/^grid.*/grid: {model.attention: [rpe, urpe]}/' small.yaml
    lua
    cp own/results.csv before.csv
    for name in own/specs/*/same.lua; do echo damaged >"$name"; done
    lua
    cmp before.csv own/results.csv
    for name in own/specs/*/same.lua; do rm "$name"; done
    lua --force
    diff <(stable before.csv) <(stable own/results.csv)
    # Nobody takes another function for the one that was trained on.
    for name in own/*/*/same.lua own/*/*/*/same.lua; do
        echo 'function y(x, n, d) x[1][1] = 0 return x end' >"$name"
    done
    for name in "evaluate $(find own/cells/* -maxdepth 0 | head -n 1)" "run $(echo own/specs/*.yaml) --out other"; do
        # shellcheck disable=SC2086
        run "$PROBE" $name
        [ "$status" -eq 2 ]
        [[ "$output" == *"same.lua was changed since it was copied there"* ]]
    done
}

@test "cells that ended and whose rows nobody finds are no success" {
    small_spec small.yaml 4000
    "$PROBE" run small.yaml --quiet --jobs 1 --out gone --set seeds=[0] >/dev/null 2>messages &
    local pid=$!
    eventually has_cell gone
    rm -r gone/specs
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 3 ]
    grep -q '4 cells have ended, and rows of 0 can be read' messages
}

@test "reports of one folder at the same time do not disturb each other" {
    local pids=() k
    small --out done
    "$PROBE" report done >/dev/null 2>&1
    cp -r done before
    for k in $(seq 6); do
        "$PROBE" report done >/dev/null 2>"messages$k" &
        pids+=($!)
    done
    for k in "${pids[@]}"; do wait "$k"; done
    for k in before/*.csv before/figures/*; do cmp "$k" "done/${k#before/}"; done
    [ -z "$(find done -name '.tmp-*' -o -name '*.new')" ]
}

@test "what a killed run leaves is swept by the next" {
    small --out done
    touch done/specs/.tmp-urpe-1-0 done/.tmp-urpe-1-0
    small --out done --force
    [ -z "$(find done -name '.tmp-*')" ]
}

@test "predict writes no NaN: of the weights, and of what overflows" {
    small --out done --set target.kind=gain --set model.attention=rpe
    cp done/cells/*/weights.safetensors whole
    for value in nan 3e38; do
        python3 - whole done/cells/*/weights.safetensors $value <<'PY'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
if sys.argv[3] == "nan":
    data[-4:] = struct.pack("<f", float("nan"))
else:
    start = 8 + struct.unpack("<Q", data[:8])[0]
    data[start:] = struct.pack("<f", float(sys.argv[3])) * ((len(data) - start) // 4)
open(sys.argv[2], "wb").write(data)
header = b'{"x":{"dtype":"F32","shape":[1,8,2],"data_offsets":[0,64]}}  '
header += b" " * (-len(header) % 8)
open("x", "wb").write(struct.pack("<Q", len(header)) + header + bytes(64))
PY
        run "$PROBE" predict done/cells/* --input x --output y
        [ "$status" -eq 3 ]
        echo "$output"
        [[ "$output" == *finite* ]]
        [ ! -e y ]
    done
    [[ "$output" == *"outputs y[0] are not finite"* ]]
}

@test "a quiet run says why it failed" {
    small_spec small.yaml 20000
    "$PROBE" run small.yaml --quiet --jobs 2 --out hurt >/dev/null 2>messages &
    local pid=$!
    hit_child() { kill -s KILL "$(children_of "$pid" | head -n 1)" 2>/dev/null; }
    eventually hit_child
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 1 ]
    grep -q 'failed: the worker was killed' messages
}
