#!/usr/bin/env bats
# What the program says about itself, and what it says to what it does not understand.
load help_cmd.bash

commands() { probe --help | sed -n '/^commands:/,/^$/s/^  \([a-z][a-z]*\).*/\1/p'; }

@test "--help names every command, and each has help of its own" {
    [ "$(commands | wc -l)" -ge 5 ]
    for command in $(commands); do
        try "$command" --help
        [ "$status" = 0 ]
        has "usage: urpe-probe $command" "$output"
        has "--help" "$output"
        [ -z "$errors" ]
        [ "$(probe help "$command")" = "$output" ]
        [ "$(probe "$command" -h)" = "$output" ]
    done
}

@test "help COMMAND is COMMAND --help" {
    for command in $(commands); do [ "$(probe help "$command")" = "$(probe "$command" --help)" ]; done
    try help rum
    has "did you mean run?" "$errors"
}

@test "help fits 80 columns" {
    for command in $(commands); do
        [ "$(probe "$command" --help | awk 'length > 80' | wc -l)" = 0 ]
    done
    [ "$(probe --help | awk 'length > 80' | wc -l)" = 0 ]
}

@test "help of a command names no flag that it does not take" {
    for command in $(commands); do
        taken=$(probe "$command" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p')
        for named in $(probe "$command" --help | grep -o -e '--[a-z][a-z-]*'); do
            grep -qx -e "$named" <<<"$taken" || { echo "$command: $named"; false; }
        done
    done
}

@test "--version says what numbers depend on" {
    try --version
    [ "$status" = 0 ]
    for word in urpe-probe numerics kernels BLAS CPU; do has "$word" "$output"; done
}

@test "a processor newer than OpenBLAS does not get the oldest one's products, unless it is asked to" {
    probe --version | grep -q '^BLAS.*OpenBLAS' && grep -q avx2 /proc/cpuinfo || skip "no OpenBLAS, no AVX2"
    if probe --version | grep Prescott; then false; fi
    OPENBLAS_CORETYPE=Prescott probe --version | grep -q Prescott
}

@test "URPE_KERNEL forces the kernels, and an unknown one is a usage error" {
    URPE_KERNEL=portable try --version
    [ "$status" = 0 ]
    has "portable" "$output"
    URPE_KERNEL=abacus try --version
    [ "$status" = 2 ]
    has "abacus" "$errors"
}

@test "no command, an unknown command, an unknown option: exit 2 and the nearest name" {
    try
    [ "$status" = 2 ]
    [ -z "$output" ]
    try chek tiny.yaml
    [ "$status" = 2 ]
    has "did you mean check?" "$errors"
    try check tiny.yaml --formt csv
    [ "$status" = 2 ]
    [ -z "$output" ]
    has "did you mean --format?" "$errors"
    try check tiny.yaml --xyzzy
    [ "$status" = 2 ]
    has "unknown option --xyzzy" "$errors"
    try check tiny.yaml -x
    [ "$status" = 2 ]
}

@test "an option of another command is named as such" {
    try check tiny.yaml --jobs 2
    [ "$status" = 2 ]
    has "\`check\` does not take --jobs" "$errors"
}

@test "values of options: missing, unwanted, out of range" {
    for words in "--set" "--set width" "--set =3" "--out" "--out=" "--quiet=yes" "--jobs 0" \
        "--jobs many" "--jobs 1e9" "--threads -1" "--shard 3" "--shard 3/3" "--shard -1/3" \
        "--shard 1/0" "--shard /2"; do
        # shellcheck disable=SC2086
        try run tiny.yaml $words
        [ "$status" = 2 ] || { echo "$words: $status"; false; }
        [ -z "$output" ]
    done
    try list --format xml
    [ "$status" = 2 ]
    [ ! -e results ]
}

@test "an edge list that counts from 1 is read with a warning, by check, run and bound" {
    printf '1 2\n2 3\n' >one.txt
    printf 'space: {kind: graph, file: one.txt}\ntarget: degree\ntrain: {steps: 1}\n' >graph.yaml
    for command in check run bound; do
        try $command graph.yaml
        [ "$status" = 0 ]
        has "graph.yaml:1:28: warning: space.file: one.txt: node 0 has no edge" "$errors"
    done
}

@test "what a spec allows but hardly means is told" {
    said() { # WARNINGS ARGUMENTS
        local wanted=$1
        shift
        try bound tiny.yaml --set model.attention=rpe --set evaluate.networks=1 --format csv "$@"
        [ "$status" = 0 ]
        [ "$(grep -o 'warning: .*' <<<"$errors")" = "$wanted" ] || { echo "$errors"; return 1; }
    }
    said "warning: train.warmup: 200 of 20 steps; the rate ends at 10 % of lr" --set 'train={steps: 20, warmup: 200}'
    said "" --set 'train={steps: 20, warmup: 20}'
    said "warning: model.c: no cell multiplies by C; expected model.attention urpe somewhere" --set model.c=toeplitz
    said "" --set model.c=toeplitz --set model.attention=[rpe,urpe]
    local same="hides what \`%s\` does where there are no more than 4 positions"
    # shellcheck disable=SC2059
    said "warning: model.mask: prefix-lm $(printf "$same" none)" --set 'model.mask={kind: prefix-lm, prefix: 100}'
    # shellcheck disable=SC2059
    said "warning: model.mask: window $(printf "$same" causal)" --set 'model.mask={kind: window, past: 4}'
    said "" --set 'model.mask={kind: window, past: 3}'
    said "" --set 'model.mask={kind: window, past: 4}' --set 'evaluate.lengths=[5]'
    said "warning: model.plan: 1 of the 2 layers of one turn are there" \
        --set 'model.plan=[{encoding: t5}, {encoding: none}]'
    said "" --set 'model.plan=[{encoding: t5}, {encoding: none}]' --set model.layers=2
    echo 'return function(x, n, d) return x end' >t.lua
    said "warning: target.y: is not used beside target.file" --set 'target={kind: lua, y: "i", file: t.lua}'
    said "" --set 'target={kind: lua, file: t.lua}'
    # In a file as under --set, with its place; and from check and run too.
    sed -i 's/batch: 4/&, warmup: 30/; /model.attention: .rpe, urpe/s/rpe, urpe/rpe/' tiny.yaml
    for command in check run bound; do
        try $command tiny.yaml
        has "tiny.yaml:6:37: warning: train.warmup: 30 of 3 steps; the rate ends at 10 % of lr" "$errors"
    done
}

@test "operands: too few, too many, -- and -" {
    try check
    [ "$status" = 2 ]
    has "SPEC is missing" "$errors"
    try check tiny.yaml tiny.yaml
    [ "$status" = 2 ]
    has "unexpected argument tiny.yaml" "$errors"
    cp tiny.yaml ./--odd.yaml
    try check --quiet -- --odd.yaml
    [ "$status" = 0 ]
    try check - --quiet <tiny.yaml
    [ "$status" = 0 ]
    try check --format=csv tiny.yaml
    [ "$status" = 0 ]
}

@test "a wrong spec: FILE:LINE:COL, exit 2, nothing written" {
    echo 'widht: 3' >>tiny.yaml
    for command in run check bound; do
        try "$command" tiny.yaml
        [ "$status" = 2 ]
        echo "$errors" | grep -q "^tiny.yaml:$(wc -l <tiny.yaml):1: "
        [ -z "$output" ]
    done
    try run missing.yaml
    [ "$status" != 0 ]
    has "missing.yaml" "$errors"
    [ "$(ls)" = tiny.yaml ]
}

@test "output that cannot be written: exit 3" {
    [ -c /dev/full ] || skip "there is no /dev/full"
    for words in "--help" "--version" "list keys" "check tiny.yaml" "bound tiny.yaml"; do
        status=0
        # shellcheck disable=SC2086
        probe $words >/dev/full 2>err || status=$?
        [ "$status" = 3 ] || { echo "$words: $status"; false; }
        has "standard output" "$(cat err)"
    done
}

@test "a closed pipe: exit 3, no signal" {
    # The reader is gone before anything is written.
    mkfifo pipe
    true <pipe &
    exec 4>pipe
    wait $!
    status=0
    probe list keys >&4 2>/dev/null || status=$?
    [ "$status" = 3 ]
}

@test "names match without case, and a cell is the same one; a spec in place of a command is told of run" {
    probe check tiny.yaml --set model.encoding=rope >lower
    probe check tiny.yaml --set model.encoding=RoPE >mixed
    grep -q 'encoding: *{*\(kind: \)*rope' mixed
    diff <(grep -v '^#' lower) <(grep -v '^#' mixed)
    probe run tiny.yaml --quiet --no-claims --set model.encoding=rope
    probe run tiny.yaml --quiet --no-claims --set model.encoding=RoPE
    [ "$(ls results/tiny/cells | wc -l)" = 2 ]
    try tiny.yaml
    [ "$status" = 2 ]
    has "urpe-probe run tiny.yaml" "$errors"
}

# Every text for people that is fitted to the screen, one after the other; standard output alone.
shown() {
    probe run tiny.yaml --no-claims 2>/dev/null
    probe report results/tiny 2>/dev/null
    for words in "bound tiny.yaml" "witness tiny.yaml" "explain tiny.yaml" list --help; do
        # shellcheck disable=SC2086
        probe $words 2>/dev/null
    done
    probe check tiny.yaml | grep '^#'
    for command in $(commands); do probe "$command" --help; done
}

@test "tables, explanations and help fit 40 columns, and what is wider" {
    probe run tiny.yaml --quiet
    export LC_ALL=C.UTF-8
    for width in 40 60 80; do
        [ -z "$(COLUMNS=$width shown | python3 -c '
import sys
for line in sys.stdin.buffer.read().decode().splitlines():
    if len(line) > int(sys.argv[1]): print(line)' $width | tee /dev/stderr)" ]
    done
    # The figures are all there, in whatever form.
    has "identical: " "$(COLUMNS=40 probe run tiny.yaml --no-claims 2>/dev/null)"
}

@test "bench fits 40 columns, in either form: what is there after a few seconds" {
    for form in "" --kinds; do
        # shellcheck disable=SC2086
        COLUMNS=40 timeout 60 "$URPE_PROBE" bench --seconds 1 $form >out &
        until [ "$(wc -l <out)" -gt 4 ]; do kill -0 $! && sleep 0.1; done
        kill $!
        wait $! || true # ended by us
        if grep -E '^.{41}' out; then false; fi
    done
}

@test "LC_ALL=C: ASCII alone; a terminal that is dumb gets no escapes" {
    probe run tiny.yaml --quiet --set seeds=4
    export LC_ALL=C
    [ -z "$(shown | tr -d '\000-\177')" ]
    has "4 seeds x/ its 95 %" "$(probe run tiny.yaml --set seeds=4 | tr '\n' ' ')"
    command -v python3 >/dev/null || skip "python3 opens the terminal, and is not installed"
    for term in dumb xterm; do
        rm -rf results
        TERM=$term python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$URPE_PROBE" run tiny.yaml \
            --set train.steps=400 </dev/null >$term
    done
    if grep -q "$(printf '\033')" dumb; then false; fi
    grep -q "$(printf '\033')" xterm
}

@test "a key that no cell has a use for is refused in its place" {
    printf '%s\n' 'space: {length: 4, channels: 1}' 'target: {kind: pi, vocab: 3}' >pi.yaml
    for command in check run bound; do
        try $command pi.yaml
        [ "$status" = 2 ]
        has "pi.yaml:1:30: space.channels: no cell of the spec has inputs of numbers; leave it out" "$errors"
    done
    printf '%s\n' 'target: {kind: position, vocab: 3}' >position.yaml
    try check position.yaml
    [ "$status" = 2 ]
    has "position.yaml:1:33: target.vocab: no cell of the spec has symbols of a vocabulary" "$errors"
    # One cell is enough; so is what --set has made of it; and resolved specs say every key.
    printf '%s\n' 'space: {length: 4, channels: 1}' 'target: {vocab: 3}' 'train: {steps: 1}' \
        'model: {layers: 1, heads: 1, width: 4, ffn: 4}' 'evaluate: {samples: 8}' \
        'grid: {target.kind: [pi, gain]}' >both.yaml
    probe check both.yaml >/dev/null
    probe run both.yaml --set target.kind=pi --out out --quiet
    probe run out/specs/*.yaml --out out --quiet
}
