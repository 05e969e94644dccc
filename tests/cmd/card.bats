#!/usr/bin/env bats
# card: a class over a battery, and beside the built-in encodings.
load help_cmd.bash

# One battery for all tests of this file, with its rows, and a card.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    cat >battery.yaml <<'SPEC'
seeds: 1
space: {length: 6, channels: 1, inputs: {identical: 0.25, palindrome: 0.25}}
target: {kind: gain, vocab: 3}
model: {layers: 1, heads: 2, width: 8, ffn: 8}
train: {steps: 2, batch: 4}
evaluate: {samples: 16, lengths: [4, 6], images: 2}
grid:
  target.kind: [gain, prefix_sum, mean, token_shift]
  model.encoding: [none, toeplitz, kerple-log, sinusoidal]
  model.attention: [rpe, urpe]
  model.mask: [none, causal]
SPEC
    probe bound battery.yaml --format csv >battery.csv
    COLUMNS=80 LC_ALL=C probe card --battery battery.yaml --set model.encoding=kerple-log >card80.txt
}
battery() { cp "$BATS_FILE_TMPDIR"/{battery.{yaml,csv},card80.txt} .; }

own='model.encoding={kind: formula, bias: "-a[h] * math.log(1 + b[h] * math.abs(d))", parameters: {a: 1, b: 1}}'

# Columns of rows on standard input, by name.
columns() {
    awk -F, -v names="$1" 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i; n = split(names, name, " ")}
        {line = ""; for (i = 1; i <= n; i++) line = line $at[name[i]] ","; print line}'
}

floors="cell length subset params verdict floor_rms floor_rel floor_sup accuracy_ceiling cross_entropy_floor depth_floor_rms depth_floor_rel depth_accuracy_ceiling"

@test "rows of a built-in class are those of bound, and witnesses those of run" {
    battery
    probe card --battery battery.yaml --set model.encoding=kerple-log --format csv >card.csv
    probe bound battery.yaml --set model.encoding=kerple-log --format csv >bound.csv
    [ "$(wc -l <card.csv)" -gt 100 ]
    diff <(columns "$floors" <card.csv) <(columns "$floors" <bound.csv)
    probe run battery.yaml --set model.encoding=kerple-log --quiet --no-claims
    sort_rows() { columns "cell length subset floor_rms accuracy_ceiling witness witness_rms witness_rel witness_accuracy" | sort; }
    diff <(sort_rows <card.csv) <(sort_rows <results/battery/results.csv)
    # A SPEC says the same as --set.
    echo 'model: {encoding: kerple-log}' >class.yaml
    probe card class.yaml --battery battery.yaml --format csv | cmp - card.csv
}

@test "a formula equal to kerple-log gets kerple-log's card" {
    battery
    probe card --battery battery.yaml --set "$own" --format csv >card.csv
    probe bound battery.yaml --set model.encoding=kerple-log --format csv >bound.csv
    same="length subset floor_rms floor_rel floor_sup accuracy_ceiling verdict"
    diff <(columns "$same" <card.csv) <(columns "$same" <bound.csv)
    try card --battery battery.yaml --set "$own"
    [ "$status" = 0 ]
    has "The same floors everywhere: kerple-log" "$output"
    has "Its floors are nowhere higher than those of, and somewhere lower: none" "$output"
    has "somewhere higher: toeplitz, sinusoidal" "$(echo $output)"
    # One that tells left from right is another class.
    try card --battery battery.yaml --set 'model.encoding={kind: formula, bias: "a[h] * d", parameters: {a: 1}}'
    has "The same floors everywhere: toeplitz" "$output"
}

@test "what the class says is not varied, and what it leaves open is" {
    battery
    settings() { sed -n '/^setting /,/^$/p' | sed '1d' | awk 'NF {print $1, ($2 ~ /^[a-z]/ ? $2 : "")}' | xargs; }
    [ "$(settings <card80.txt)" = "alone causal urpe urpe causal" ]
    [ "$(probe card --battery battery.yaml --set model.encoding=kerple-log --set model.mask=causal | settings)" = "causal urpe causal" ]
    printf '%s\n' 'target: gain' 'model: {encoding: kerple-log, attention: rpe}' 'grid:' '  model.mask: [none, causal]' >class.yaml
    try card class.yaml --battery battery.yaml
    [ "$status" = 2 ]
    has "class.yaml:4:3: model.mask: varies, and a card is of one class; expected --set model.mask=VALUE" "$errors"
    [ "$(probe card class.yaml --battery battery.yaml --set model.mask=none | settings)" = "alone" ]
    # A preset and a plan say all layers.
    probe card --battery battery.yaml --set 'model.plan=[{encoding: rope}, {encoding: none}]' --set model.layers=2 | grep -q 'its layers differ'
    has "llama-3 rope (battery battery;" "$(probe card --battery battery.yaml --set model.preset=llama-3)"
}

@test "--out writes a page, a picture and rows; files are named beside the class" {
    battery
    mkdir sub
    echo 'return function(x, n, d) local y = {} for i = 1, n do y[i] = {} for c = 1, d do y[i][c] = i * x[i][c] end end return y end' \
        >sub/target.lua
    printf 'model:\n  encoding: {kind: formula, bias: "-a[h] * math.abs(d)", parameters: {a: 1}}\n' >sub/class.yaml
    probe card sub/class.yaml --battery battery.yaml --quiet --out out/here --set 'target={kind: lua, file: target.lua}'
    [ "$(find out -type f | sort | xargs)" = "out/here/card.csv out/here/card.html out/here/card.svg" ]
    python3 - <<'PY'
import xml.etree.ElementTree as tree
for name in ("out/here/card.svg", "out/here/card.html"):
    tree.parse(name)
assert "-a[h] * math.abs(d)" in open("out/here/card.html").read()
PY
}

@test "no line passes 40 or 80 columns" {
    battery
    COLUMNS=40 LC_ALL=C probe card --battery battery.yaml --set model.encoding=kerple-log >card40.txt
    for width in 40 80; do
        awk -v w=$width 'length > w {print; bad = 1} END {exit bad}' card$width.txt
    done
    has "id identical" "$(cat card40.txt)"
}

@test "the table of the atlas stands beside, with a line for each class and target" {
    battery
    python3 - <<'PY'
import collections, csv, re
lines, subsets = collections.OrderedDict(), ("identical", "palindrome", "generic", "lookahead")
for row in csv.DictReader(open("battery.csv")):
    if row["length"] != "6" or row["subset"] == "all":
        continue
    key = (row["encoding"], row["attention"], "softmax", row["mask"], row["target"], "6", "1", "0")
    floor = 1 - float(row["accuracy_ceiling"]) if row["accuracy_ceiling"] else float(row["floor_rel"])
    lines.setdefault(key, {})[row["subset"]] = (f"{floor:.4g}", row["proof"][0].upper(), row["witness_rel"])
out = csv.writer(open("table.csv", "w"))
out.writerow(["encoding", "attention", "normaliser", "mask", "target", "length", "layers", "seed", *subsets, "proof", "witness"])
for key, of in lines.items():
    cells = [of.get(s, ("", "-", "")) for s in subsets]
    out.writerow([*key, *(c[0] for c in cells), "".join(c[1] for c in cells), cells[0][2]])
out.writerow(["kerple-log", "rpe", "softmax", "causal+bos", "gain", "6", "1", "0", 1, 1, 1, "", "III-", ""])
PY
    mv table.csv battery.csv
    try card --battery battery.yaml --set "$own"
    [ "$status" = 0 ]
    has "The same floors everywhere: kerple-log" "$output"
    has "nowhere higher than those of, and somewhere lower: none" "$output"
    has "somewhere higher: toeplitz, sinusoidal" "$(echo $output)"
    # At the training length alone: three kinds of input of four targets.
    grep -q '^none .* 7/12$' <<<"$output"
    grep -q 'this class .* 6/12$' <<<"$output"
    grep -q '^alone .*/24$' <<<"$output"
}

@test "of a long axis the first value, all with --all; cells that are called alike are a mistake" {
    battery
    sed 's/model.attention: .*/model.normaliser: [softmax, sink, sigmoid]/; /model.mask/d' battery.yaml >long.yaml
    count() { probe card --battery long.yaml --set model.encoding=alibi --format csv "$@" | wc -l; }
    [ "$(count --all)" = $((3 * ($(count) - 1) + 1)) ]
    [ "$(count --set model.normaliser=sink)" = "$(count)" ]
    sed 's/target.kind: .*/target: [{kind: pi, vocab: 3}, {kind: pi, vocab: 4}]/' battery.yaml >alike.yaml
    try card --battery alike.yaml --set model.encoding=alibi
    [ "$status" = 2 ]
    has "two cells of the class are both called pi, alone" "$errors"
}

@test "models from elsewhere: predictions of the program's own cells get their verdicts" {
    battery
    local class=(--battery battery.yaml --set model.encoding=alibi --set model.attention=rpe --set model.mask=none)
    try card --battery battery.yaml --set model.encoding=alibi --samples given
    [ "$status" = 2 ]
    has "expected --set model.attention=VALUE --set model.mask=VALUE" "$errors"
    try card "${class[@]}" --samples given --train 8
    [ "$status" = 0 ]
    has "samples of 4 targets are in" "$errors"
    [ "$(ls given | sed 's/-c[0-9a-f]*$//' | xargs)" = "gain mean prefix_sum token_shift" ]
    [ "$(ls given/gain-*)" = "$(printf '%s\n' inputs-4.safetensors inputs-6.safetensors targets-4.safetensors targets-6.safetensors training.safetensors)" ]
    try card "${class[@]}" --predictions given
    [ "$status" = 3 ]
    has "has no predictions of this class" "$errors"
    probe run battery.yaml "${class[@]:2}" --quiet --no-claims
    for folder in given/*; do
        probe predict results/battery/cells/"${folder##*-}"* --input "$folder/inputs-6.safetensors" \
            --output "$folder/predictions.safetensors"
    done
    probe card "${class[@]}" --predictions given --format csv >card.csv
    of() { columns "cell length subset verdict error_rms accuracy floor_rms accuracy_ceiling leak_rms witness_rms" | grep ",6,[a-z]" | sort; }
    [ "$(of <card.csv | wc -l)" = 16 ]
    diff <(of <card.csv) <(of <results/battery/results.csv)
    [ "$(columns "cell length subset" <card.csv | sort | uniq -d)" = "" ]
    [ "$(columns "length status" <card.csv | sort -u | xargs)" = "4,, 6,scored, all,, length,status," ]
    try card "${class[@]}" --predictions given
    [ "$status" = 0 ]
    has "predictions from elsewhere for 4 targets" "$(echo $output)"
    has "Of the class, as far as seen" "$output"
    # Of a class that knows no distances they are not.
    try card "${class[@]}" --set model.encoding=none --samples other --quiet
    for folder in other/*; do
        cp given/"$(basename "${folder%-*}")"-*/predictions.safetensors "$folder"
    done
    try card "${class[@]}" --set model.encoding=none --predictions other
    [ "$status" = 1 ]
    has "NOT of the class: of" "$output"
}

@test "mistakes are told" {
    battery
    refused() { # STATUS TEXT ARGUMENTS
        local wanted=$1 text=$2
        shift 2
        try card "$@"
        [ "$status" = "$wanted" ]
        has "$text" "$errors"
        [ -z "$output" ]
    }
    refused 2 "the class is missing; expected --set model.encoding=NAME"
    refused 2 "did you mean alibi?" --battery battery.yaml --set model.encoding=alibbi
    refused 3 "nowhere.yaml" --battery nowhere.yaml --set model.encoding=kerple-log
    refused 3 "class.yaml" class.yaml --battery battery.yaml
    refused 2 "a card is of one encoding" --battery battery.yaml --set model.layers=2
    echo 'target: gain' >class.yaml
    refused 2 "class.yaml:1:1: model: is missing" class.yaml --battery battery.yaml
    refused 2 "t5: is an encoding, and no file; expected SPEC, or --set model.encoding=t5" t5 --battery battery.yaml
    refused 2 "standard input" - --battery battery.yaml
    rm battery.csv
    try card --battery battery.yaml --set model.encoding=kerple-log
    [ "$status" = 0 ]
    has "Not shown: battery.csv.gz: does not exist" "$output"
    # Of another battery.
    probe bound battery.yaml --set target.kind=gain --set evaluate.samples=32 --format csv | gzip >battery.csv.gz
    try card --battery battery.yaml --set model.encoding=kerple-log
    has "are of another battery" "$output"
    # A part of the columns is enough, packed too.
    columns <"$BATS_FILE_TMPDIR/battery.csv" "cell subset length accuracy_ceiling floor_rms floor_rel verdict" | sed 's/,$//' | gzip >battery.csv.gz
    try card --battery battery.yaml --set model.encoding=kerple-log
    has "nowhere higher than those of, and somewhere lower: none" "$output"
    has "nowhere lower than those of, and somewhere higher: toeplitz, sinusoidal" "$(echo $output)"
    printf 'no gzip' >battery.csv.gz
    try card --battery battery.yaml --set model.encoding=kerple-log
    has "is no whole gzip file" "$output"
}

@test "Ctrl-C leaves nothing" {
    battery
    for seconds in 0.3 2; do
        status=0
        timeout --preserve-status -s INT $seconds "$URPE_PROBE" card --battery battery.yaml --out out --set model.encoding=kerple-log \
            --set evaluate.samples=3000 --set 'evaluate.lengths=[4,5,6]' 2>err >out.txt || status=$?
        [ "$status" = 130 ]
        [ ! -e out ]
        [ ! -s out.txt ]
    done
}

@test "the battery that came along is found from the build and from an installation" {
    command -v make >/dev/null
    mkdir -p prefix/bin prefix/share/urpe-probe
    cp "$URPE_PROBE" prefix/bin/probe
    battery
    cp battery.yaml prefix/share/urpe-probe/atlas.yaml
    ln -s prefix/bin/probe linked
    ./linked card --set model.encoding=kerple-log --quiet
    PATH=$HERE/prefix/bin:$PATH env probe card --set model.encoding=kerple-log --quiet
    rm prefix/share/urpe-probe/atlas.yaml
    status=0
    ./linked card --set model.encoding=kerple-log 2>err || status=$?
    [ "$status" = 3 ]
    has "expected a spec of targets and inputs: --battery FILE" "$(cat err)"
}
