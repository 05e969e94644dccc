# Targets in the user's own Lua, from the command line: the same numbers as the built-in target, and
# at worst a failed cell.
load help

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    small_spec small.yaml 20
    sed -i '/^grid/d; s/^seeds.*/seeds: 1/' small.yaml
}

# The columns from error_rms to gap_rel, which the target's name is not part of.
figures() {
    awk -F, 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i}
        {line = ""; for (i = at["error_rms"]; i <= at["gap_rel"]; i++) line = line "," $i; print line}' "$1"
}

@test "an expression gives the errors and floors of the built-in target" {
    "$PROBE" run small.yaml --out built-in >/dev/null 2>&1
    "$PROBE" run small.yaml --out own >/dev/null 2>&1 \
        --set 'target={kind: lua, y: "math.sin(2*math.pi*i/n) * x[i][c]"}'
    [ "$(figures built-in/results.csv | wc -l)" -ge 4 ]
    diff <(figures built-in/results.csv) <(figures own/results.csv)
}

@test "labels in Lua give the accuracies and ceilings of the built-in target, nil where none counts" {
    cat >induction.lua <<'LUA'
return function(x, n)
    local last, y = {}, {}
    for i = 1, n do
        y[i] = last[x[i]] and x[last[x[i]] + 1]
        last[x[i]] = i
    end
    return y
end
LUA
    both() { # built-in target $1, Lua $2
        rm -rf built-in own
        "$PROBE" run small.yaml --out built-in --set "target=$1" --set target.vocab=3 >/dev/null 2>&1
        "$PROBE" run small.yaml --out own --set "target=$2" --set target.vocab=3 >/dev/null 2>&1
        [ "$(figures built-in/results.csv | wc -l)" -ge 4 ]
        diff <(figures built-in/results.csv | cut -d, -f2-11) <(figures own/results.csv | cut -d, -f2-11)
    }
    both '{kind: induction}' '{kind: lua, labels: 3, file: induction.lua}'
    both '{kind: token_reverse}' '{kind: lua, labels: 3, y: "x[n + 1 - i]"}'
}

@test "a label that is none is refused in its place" {
    refused() {
        status=0
        "$PROBE" run small.yaml --out own --set "target={kind: lua, vocab: 3, labels: 2, y: \"$1\"}" 2>messages ||
            status=$?
        [ "$status" -eq 2 ]
        grep -q "$2" messages
    }
    refused 'i' "y\[2\] is 2.0; expected a label, a whole number from 0 to 1, or nil"
    refused 'i / 3' "y\[1\] is 0.33"
    refused 'x' "y\[1\] is table; expected a label"
    refused 'nil' "no position of the evaluation set counts"
}

@test "results with a file are complete without the file" {
    mkdir lua
    echo 'function y(x, n, d) return x end' >lua/same.lua
    "$PROBE" run small.yaml --out own --set 'target={kind: lua, file: lua/same.lua}' >/dev/null 2>&1
    rm -r lua
    cp own/results.csv before.csv
    rm own/results.csv
    "$PROBE" report own >/dev/null 2>&1
    cmp before.csv own/results.csv
    "$PROBE" run own/specs/*.yaml --out own >/dev/null 2>messages
    grep -q '1 finished before' messages # the same cell
}

# Runs with the expression $1 and expects exit status $2 and a message that holds $3.
ends_with() {
    status=0
    "$PROBE" run small.yaml --out own --set "target={kind: lua, y: \"$1\"}" >/dev/null 2>messages ||
        status=$?
    [ "$status" -eq "$2" ]
    grep -q "$3" messages
}

@test "an expression that goes wrong at once is refused before anything is written" {
    ends_with '0/0' 2 "sample 0 of stream 'evaluation': target.y:1: y\[1\]\[1\] is nan"
    ends_with "io.open('small.yaml')" 2 'target.y:1: io is not in the sandbox, which has math, string and table'
    ends_with '(function() while true do end end)()' 2 'took more than'
    [ ! -e own ]
}

@test "an expression that goes wrong on some sample costs its cell and names line and sample" {
    ends_with 'x[1][1] < 0.1 and 0/0 or x[i][c]' 1 \
        "sample [1-9][0-9]* of stream '[a-z]*': target.y:1: y\[1\]\[1\] is nan"
    grep -q ',failed,' own/results.csv
}

@test "an expression that is no Lua is found before anything is written" {
    status=0
    "$PROBE" run small.yaml --out own --set 'target={kind: lua, y: "x[i"}' 2>messages || status=$?
    [ "$status" -eq 2 ]
    grep -q 'target.y:' messages
    [ ! -e own ]
}

@test "one instruction that does not end is ended, and says so" {
    [ "${URPE_FULL:-}" ] || skip "it takes ten seconds of processor time; URPE_FULL=1 (test_lua.c has a shorter limit)"
    # Keys that collide once the table grows to 2^19: then it takes half a minute to move them, and no
    # count of instructions sees it.
    cat >collide.lua <<'LUA'
return function(x, n, d)
    local t, count = {}, 0
    for e = 1, 130 do
        for j = 2049, 4095 do
            t[(j * 524287 - e) / 2^31 * 2^e] = 1
            count = count + 1
        end
    end
    return x
end
LUA
    status=0
    begin=$SECONDS
    "$PROBE" run small.yaml --out own --set 'target={kind: lua, file: collide.lua}' 2>messages ||
        status=$?
    [ "$status" -eq 2 ]
    grep -q 'ran longer than the 10 seconds that a sample may take, in one instruction' messages
    [ ! -e own ]
}

@test "a file that several cells read lies on disk once" {
    head -c 400000 /dev/urandom >text.bin
    "$PROBE" run small.yaml --out own --set 'target={kind: text, file: text.bin}' --set model.mask=causal \
        --set model.encoding=[alibi,t5] --set space.inputs.identical=0 --set train.steps=1 >/dev/null 2>&1
    [ "$(find own -name text.bin | wc -l)" = 3 ]
    [ "$(du -sk --apparent-size own/specs | cut -f1)" -ge 390 ]
    [ "$(du -sk own | cut -f1)" -lt 800 ]
    # A cell's copy stays when the others go, and stands by itself where nothing lies beside it.
    rm -r own/specs
    "$PROBE" run small.yaml --out own --force --set 'target={kind: text, file: text.bin}' \
        --set model.mask=causal --set space.inputs.identical=0 --set train.steps=1 >/dev/null 2>&1
    cmp text.bin own/cells/*/*/text.bin || for f in own/cells/*/*/text.bin; do cmp text.bin "$f"; done
}
