#!/usr/bin/env bats
# Lists, checks and bounds: nothing is trained.
load help_cmd.bash

# bounded WORD...: the program, which is killed after 20 s of processor time: what should take a part of a second
# and grows with the square of the cells takes more, and no busy machine does.
bounded() {
    status=0
    (ulimit -t 20 && exec "$URPE_PROBE" "$@") >out 2>err || status=$?
    output=$(cat out) errors=$(cat err)
    rm -f out err
}

# What `conditions` says, computed once for the tests of this file.
conditions() {
    [ -s "$BATS_FILE_TMPDIR/conditions" ] || probe conditions --format csv >"$BATS_FILE_TMPDIR/conditions"
    output=$(cat "$BATS_FILE_TMPDIR/conditions")
}

# sections: what `list` takes, as its help says.
sections() { probe list --help | tr -d '\n ' | sed -n 's/.*\[\([a-z]*|[a-z|]*\)\].*/\1/p' | tr '|' ' '; }

# names SECTION: the entries that it lists, sorted.
names() { probe list "$1" --format csv | sed 1d | cut -d, -f1 | sort; }

@test "list has every encoding, normaliser, mask and target of the source, and no other" {
    for kind in encoding normaliser mask target; do
        # Each entry is named in its definition and stands in the folder's table.
        defined=$(sed -n 's/^ *\.name = "\([a-z0-9_-]*\)",.*/\1/p' "$ROOT"/lib/$kind/*.c | sort -u)
        listed=$(names ${kind}s)
        if [ $kind = encoding ]; then listed=$(sort -u <<<"$listed"$'\n'"$(names c)"); fi
        diff <(echo "$defined") <(echo "$listed")
    done
    for name in none learned sinusoidal toeplitz t5 alibi; do
        names encodings | grep -qx -e "$name"
        probe list encodings | grep -qx -e "$name"
    done
    for name in position gain affine prefix_sum shift reverse even filter difference sort identity \
        mean prefix_mean local_mean moving_max piecewise random_field; do
        names targets | grep -qx -e "$name"
    done
    [ "$(names spaces | xargs)" = "graph grid sequence" ]
    [ "$(names c | xargs)" = "bucketed formula toeplitz" ]
}

@test "list as JSON is JSON" {
    command -v python3 >/dev/null || skip "python3 reads the JSON, and is not installed"
    [ "$(sections | wc -w)" -ge 6 ]
    for section in $(sections); do
        probe list "$section" --format json |
            python3 -c 'import json,sys; assert len(json.load(sys.stdin)) > 0'
    done
    try list --format json
    [ "$status" = 2 ]
    probe check tiny.yaml --format json | python3 -c 'import json,sys; assert len(json.load(sys.stdin)) == 2'
    probe bound tiny.yaml --format json | python3 -c '
import json, sys
rows = json.load(sys.stdin)
assert len(rows) == 6
assert rows[0]["error_rel"] is None and isinstance(rows[0]["floor_rel"], (int, float))'
}

@test "list without a word has every section" {
    [ "$(probe list)" = "$(for section in $(sections); do probe list "$section"; done)" ]
}

@test "list keys has the keys of a spec with their defaults" {
    for key in seeds space.length model.encoding.buckets train.lr evaluate.tolerance model.c.init; do
        probe list keys --format csv | cut -d, -f1 | grep -qx "$key"
    done
    probe list keys --format csv | grep -q '^space.length,32,'
    probe list keys --format csv | grep -q "^name,the file's name,text,"
    probe list keys --format csv | grep -q '^cases,none,list of maps,'
    probe list keys --format csv | grep -q '^claims.on,run,run | bound | witness,'
}

@test "list figures has what a spec may ask for" {
    { echo 'figures: [nothing]'; cat tiny.yaml; } >none.yaml
    try run none.yaml
    [ "$status" = 2 ]
    figures=$(probe list figures --format csv | sed 1d | cut -d, -f1)
    [ "$(echo "$figures" | wc -l)" -ge 9 ]
    for figure in $figures; do has "$figure" "$errors"; done
}

@test "list NAME: one entry in full, with a picture of an encoding's logits" {
    output=$(probe list rope)
    has "pairing = adjacent (adjacent | half)" "$output"
    has "Su et al. 2021" "$output"
    # Of equal tokens: 2 sum_k (cos(d theta_k) - 1) / sqrt(8), theta_k = 10000^(-k/4); Toeplitz.
    python3 - "$output" <<'PY'
import math, sys
rows = [line.split() for line in sys.argv[1].splitlines()[-4:]]
want = lambda d: sum(2 * (math.cos(d * 10 ** -k) - 1) for k in range(4)) / math.sqrt(8)
for i in range(4):
    for j in range(4):
        assert abs(float(rows[i][j]) - want(i - j)) < 6e-4, (i, j, rows)
assert [r[4:] for r in rows] == [list("abcd"), list("eabc"), list("feab"), list("gfea")], rows
PY
    has "-0.063  0.000 -0.063 -0.125    b a b c" "$(probe list ALiBi)"
    has "model.mask: none" "$(probe list none)"
    has "target.file = none (text)" "$(probe list lua)"
    has "a . . ." "$(probe list cope)" # hides what follows
    has "path of a graph" "$(probe list centrality)"
    for section in encodings c masks normalisers targets spaces; do
        for name in $(names $section); do probe list "$name" | grep -q "source: \|summary: "; done
    done
    try list rope --format csv
    [ "$status" = 2 ]
}

@test "list of something else names the nearest" {
    try list encoding
    [ "$status" = 2 ]
    has "did you mean encodings?" "$errors"
}

@test "check prints a spec that means the same, in bounded time" {
    bounded check tiny.yaml
    [ "$status" = 0 ]
    has "# 2 cells" "$output"
    echo "$output" >resolved.yaml
    [ "$(probe check resolved.yaml | grep -v '^#')" = "$(grep -v '^#' resolved.yaml)" ]
    [ "$(ls)" = "$(printf 'resolved.yaml\ntiny.yaml')" ]
}

@test "claims that no row can bear out are errors before training, but not under --set" {
    sed -i 's/subset: identical/subset: palindrome/' tiny.yaml
    for command in run check; do
        try $command tiny.yaml
        [ "$status" = 2 ]
        has "tiny.yaml:11:43: subset: no row will have palindrome; expected one of all, generic, ide" \
            "$errors"
    done
    [ ! -e results ]
    try check tiny.yaml --set train.steps=2
    [ "$status" = 0 ]
    try run tiny.yaml --set model.attention=urpe --quiet # as before: judged, and not held
    [ "$status" = 1 ]
    has "no row matches it" "$output$errors"
    try run tiny.yaml --no-claims --quiet
    [ "$status" = 0 ]
}

@test "check names the targets of its kinds of cells, within 80 columns" {
    try check tiny.yaml --set 'target=[gain, prefix_mean]' --set 'model.encoding=[transformer-xl, t5]'
    [ "$(grep -c '^# .*prefix_mean' <<<"$output")" = 4 ]
    [ "$(grep -c '^# .*gain' <<<"$output")" = 4 ]
    [ "$(grep '^#' <<<"$output" | grep -c space)" = 0 ]
    [ "$(grep '^# *[0-9]* .*rpe' <<<"$output" | awk 'length > 80')" = "" ]
    try check tiny.yaml --set 'target=[identity, mean]' --set 'space.kind=[sequence, grid]'
    [ "$(grep -c '^# .* grid  *mean ' <<<"$output")" = 2 ]
    [ "$(grep '^# *[0-9]* .*rpe' <<<"$output" | awk 'length > 80')" = "" ]
    try check tiny.yaml --format csv
    [ "$(head -n 1 <<<"$output")" = \
        cells,space,target,encoding,attn,n,layers,width,params,MiB,steps,MFLOP,s/cell ]
}

@test "check says what takes the time and the memory: polishing, the search, the witness" {
    try check tiny.yaml --set evaluate.witness=always --set train.polish.method=bfgs --set evaluate.adversary.starts=64 \
        --set space.length=200
    [ "$status" = 0 ]
    has polishing "$(grep '^# time' <<<"$output")"
    has "search for the worst case" "$(grep '^# time' <<<"$output")"
    has "search for the worst case" "$(grep -A1 '^# memory of the largest cell' <<<"$output")"
    has witness "$(grep -A1 '^# memory of the largest cell' <<<"$output")"
    try check tiny.yaml --set evaluate.witness=never --set space.length=200
    [ "$(grep -c '^#.*\(witness\|polishing\|search\)' <<<"$output")" = 0 ]
}

@test "check of 3,000 cells takes bounded time" {
    bounded check tiny.yaml --set seeds=10 --set 'train.lr=[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1]' \
        --set 'model.width=[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]' --format csv
    [ "$status" = 0 ]
    [ "$(echo "$output" | awk -F, 'NR > 1 {n += $1} END {print n}')" = 3000 ]
}

@test "check warns of memory that is not there, and exits 0; run refuses" {
    set -- --set model.width=8192 --set model.ffn=65536 --set model.layers=64
    try check tiny.yaml "$@"
    [ "$status" = 0 ]
    has "--set model.width:1:1: warning: a cell needs" "$errors"
    try run tiny.yaml "$@"
    [ "$status" = 2 ]
    has "of memory" "$errors"
    [ ! -e results ]
}

@test "bound: columns of results.csv, floors, no errors" {
    try bound tiny.yaml --format csv
    [ "$status" = 0 ]
    [ "$(head -n 1 <<<"$output")" = "$(header results.csv)" ]
    [ "$(echo "$output" | wc -l)" = 7 ]
    [ "$(echo "$output" | grep -c ',impossible,')" = 2 ] # rpe: all and identical
    [ "$(echo "$output" | grep -c ',open,')" = 4 ]
    [ "$(ls)" = tiny.yaml ]
    try bound tiny.yaml --out there --format csv
    [ "$output" = "$(cat there/bound.csv)" ]
}

@test "bound: explicit weights stand beside floors, unless evaluate.witness is never" {
    known() { probe bound tiny.yaml --format csv "$@" | python3 -c '
import csv, sys
for r in csv.DictReader(sys.stdin):
    print(r["attention"], r["witness"], r["witness_rel"] and float(r["witness_rel"]) < 1e-5, r["proof"])' | sort -u; }
    diff <(known) <(printf '%s\n' 'rpe none  impossible' 'rpe none  possible' 'urpe known True possible')
    diff <(known --set evaluate.witness=never --set evaluate.networks=0) \
        <(printf '%s\n' 'rpe   impossible' 'rpe   open' 'urpe   open')
}

@test "bound: each floor's column says whose it is" {
    try bound tiny.yaml --set seeds=2
    has "certified floor of error_rel, by kind of input; mean of 2 seeds" "$output"
    has "identical floor generic floor    witness verdict" "$output"
    [[ "$output" != *interval* ]]
    # It writes no results.csv, so it points to none.
    try bound tiny.yaml --set space.inputs.palindrome=0.2
    has "with --format csv" "$(tr '\n' ' ' <<<"$output")"
    [[ "$output" != *results.csv* ]]
}

@test "positions: what counts from 0 and what from 1 says so" {
    has "i from 0" "$(probe list encodings --format csv | grep ^sinusoidal)"
    has "i and j count from 0" "$(probe list encodings | head -1)"
    has "i count from 1" "$(probe list targets | head -1)"
}

@test "bound judges the claims made on bound" {
    cat >>tiny.yaml <<'SPEC'
  - on: bound
    where: {subset: identical}
    expect: {verdict: impossible}
SPEC
    try bound tiny.yaml
    [ "$status" = 1 ]
    has "NOT HELD" "$output"
    has "model.attention=urpe" "$output"
    [ "$errors" = '1 claim of the spec is about `run`, and not judged here' ]
    try bound tiny.yaml --quiet
    [ "$(grep -c about <<<"$errors")" = 0 ]
    try bound tiny.yaml --no-claims
    [ "$status" = 0 ]
    try bound tiny.yaml --set model.attention=rpe
    [ "$status" = 0 ]
    has "held" "$output"
}

@test "conditions covers every normaliser, and a row is there once" {
    conditions
    for n in $("$URPE_PROBE" list normalisers --format csv | tail -n +2 | cut -d, -f1); do
        for e in none toeplitz; do
            [ "$(grep -c "^$e,none,causal,$n," <<<"$output")" -eq 1 ]
        done
    done
    [ "$(cut -d, -f1-4 <<<"$output" | sort | uniq -d)" = "" ]
    # a causal sink is enough without an encoding; without a mask it needs one
    grep -q "^none,none,causal,sink,limit,[^,]*,yes," <<<"$output"
    grep -q "^none,none,none,sink,limit,[^,]*,no," <<<"$output"
    grep -q "^toeplitz,none,none,sink,limit,[^,]*,yes," <<<"$output"
}

@test "conditions covers every encoding, alone and with C, and its answers are the known ones" {
    conditions
    for e in $("$URPE_PROBE" list encodings --format csv | tail -n +2 | cut -d, -f1); do
        [ "$e" != centrality ] || continue # of graphs; the conditions are about a sequence
        [ "$(grep -c "^$e,none," <<<"$output")" -ge 1 ]
        [ "$(grep -c "^$e,toeplitz," <<<"$output")" -ge 1 ]
    done
    # under softmax position-aware exactly with C
    [ "$(awk -F, '$4 == "softmax" && ($2 == "none") == ($7 == "yes")' <<<"$output")" = "" ]
    # attentive fails for fixed slopes and bounded tables alone
    [ "$(awk -F, '$4 == "softmax" && $5 == "no" {print $1}' <<<"$output" | sort -u | paste -sd,)" = \
        alibi,kerple-log,kerple-power,sandwich ]
    [ "$(awk -F, '$4 == "softmax" && $5 == "limit" {print $1}' <<<"$output" | sort -u | paste -sd,)" = \
        fox,rope,xpos ]
}
