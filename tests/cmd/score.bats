#!/usr/bin/env bats
# samples and score: predictions of the program's own cells are judged as its cells are, and what is not
# of a class is told.
load help_cmd.bash

make_file() { python3 "$ROOT/tests/cmd/help_data.py" "$@"; }

# Figures of the lines of a table: from error_rms to gap_rel, witness and leak; by length and subset.
figures() {
    awk -F, 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i}
        {line = $at["cell"] "," $at["length"] "," $at["subset"] "," $at["verdict"]
         for (i = at["error_rms"]; i <= at["gap_rel"]; i++) if (i != at["error_worst"] && i != at["floor_worst"]) line = line "," $i
         print line "," $at["leak_rms"] "," $at["leak_sup"] "," $at["witness_rms"] "," $at["accuracy_grouped"] "," $at["bits_per_byte"]}' "$1"
}

# Predictions by length, y.LENGTH.safetensors, as one file of y and, for other lengths than 4, y.LENGTH.
join_lengths() {
    python3 - "$@" <<'PYTHON'
import json, re, struct, sys
header, data = {}, b""
for path in sys.argv[2:]:
    whole = open(path, "rb").read()
    size = 8 + struct.unpack("<Q", whole[:8])[0]
    y, length = json.loads(whole[8:size])["y"], re.search(r"(\d+)\.safetensors$", path)[1]
    a, b = (size + x for x in y["data_offsets"])
    header["y" if length == "4" else "y." + length] = {**y, "data_offsets": [len(data), len(data) + b - a]}
    data += whole[a:b]
head = json.dumps(header).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(head)) + head + data)
PYTHON
}

# Trains the one cell of tiny.yaml with options, predicts its samples of every length and compares the scores.
same_scores() {
    rm -rf results given y.*
    probe run tiny.yaml --quiet --no-claims --set model.attention=urpe "$@"
    probe samples tiny.yaml --set model.attention=urpe "$@" --out given
    for inputs in given/inputs-*.safetensors; do
        probe predict results/tiny/cells/* --input "$inputs" --output "y.${inputs##*-}"
    done
    join_lengths y.safetensors y.*.safetensors
    probe score tiny.yaml --set model.attention=urpe "$@" --predictions y.safetensors --no-claims \
        --format csv >scored.csv 2>err
    [ "$(wc -l <scored.csv)" -ge "${rows:-3}" ]
    grep -q ',scored,' scored.csv
    diff <(figures results/tiny/results.csv | grep -v ',lookahead,') <(figures scored.csv)
    grep -Eq "of the class, as far as seen|the class merges nothing here" err
}

@test "scores of a cell's own predictions are its rows, to the last digit" {
    same_scores
    same_scores --set evaluate.orbit=dihedral --set model.precision=double --set target=gain
    same_scores --set 'target={kind: histogram, vocab: 3}'
    same_scores --set 'space={kind: graph, nodes: 4, channels: 1, inputs: {identical: 0.5}}' --set target=degree
}

@test "scores of other spaces, lengths, prefixes and texts are rows to the last digit too" {
    local rows=10
    same_scores --set 'evaluate.lengths=[6]'
    same_scores --set 'evaluate.lengths=[3]' --set 'target={kind: histogram, vocab: 3}' --set model.encoding=t5
    rows=3
    same_scores --set model.mask=causal --set target=reverse # sets that look ahead are drawn, and not predicted
    grep -q ',lookahead,' results/tiny/results.csv
    same_scores --set space.length_min=2 --set target=mean
    same_scores --set space.positions.random=9 --set target=gain
    same_scores --set model.prefix=bos --set model.mask=causal
    same_scores --set 'model.prefix={kind: registers, tokens: 2}'
    same_scores --set 'space={kind: grid, height: 2, width: 2, channels: 2, inputs: {identical: 0.5}}' --set target=gain
    same_scores --set 'space={kind: graph, nodes: 4, model: tree, channels: 1}' --set target=closeness
    same_scores --set 'target={kind: lua, vocab: 3, labels: 2, y: "i > 1 and (x[i] == x[1] and 1 or 0) or nil"}'
    same_scores --set 'space.inputs={lua: {share: 0.5, x: "r.s * i / n"}}' --set target=gain
    same_scores --set 'model.encoding={kind: formula, bias: "a[h] * i * d", parameters: {a: 1}}'
    printf 'to be or not to be, that is the question: %s\n' {1..99} >play.txt
    rows=2
    same_scores --set 'target={kind: text, file: play.txt}' --set model.mask=causal --set space.inputs.identical=0
}

@test "scores of data with one label a sample" {
    make_file d.safetensors 'x=F32:60x4x1:random()' 'y=I64:60:i[0] % 3'
    same_scores --set 'target={kind: data, file: d.safetensors, test: 0.3}' --set model.pool=mean \
        --set space.inputs.identical=0
    # The training samples are data themselves.
    probe samples tiny.yaml --set model.attention=rpe --out given --train 20
    probe check tiny.yaml --set 'target={kind: data, file: given/training.safetensors}' \
        --set space.inputs.identical=0 --set model.attention=urpe >/dev/null
}

@test "predictions at other lengths" {
    local set=(--set model.attention=rpe --set 'evaluate.lengths=[6]')
    probe samples tiny.yaml "${set[@]}" --out given
    make_file p.safetensors 'y=F32:16x4x1:0' 'y.6=F64:16x6x1:0'
    try score tiny.yaml "${set[@]}" --predictions p.safetensors --no-claims --format csv
    [ "$status" = 0 ]
    [ "$(echo "$output" | grep -c ',scored,')" = 9 ] # of each, and of both together
    # What one length shows is true of the model at all.
    make_file p.safetensors 'y=F32:16x4x1:0' 'y.6=F64:16x6x1:i[1]'
    try score tiny.yaml "${set[@]}" --predictions p.safetensors --no-claims --format csv
    [ "$status" = 1 ]
    [ "$(echo "$output" | grep -c ',scored,not-of-class,')" = 9 ]
    make_file p.safetensors 'y=F32:16x4x1:0' 'z=F64:16x6x1:0'
    try score tiny.yaml "${set[@]}" --predictions p.safetensors
    [ "$status" = 3 ]
    has "tensor \`z\` would not be used" "$errors"
}

@test "what is not of the class is told, with the worst pair" {
    # On identical tokens a network without C gives every position one output.
    make_file p.safetensors 'y=F32:16x4x1:0.5 if i != (9, 2, 0) else 0.75'
    try score tiny.yaml --set model.attention=rpe --predictions p.safetensors --name mine --no-claims
    [ "$status" = 1 ]
    has "NOT of the class: of 24 pairs that it merges, 1 are told apart." "$output"
    has "sample 9 position 0 and sample 9 position 2 (from 0), tokens [" "$output"
    has "outputs differ by 0.25" "$output"
    [ "$(probe score tiny.yaml --set model.attention=rpe --predictions p.safetensors --no-claims --format csv 2>err |
        fields verdict proof | sort -u | xargs)" = "not-of-class,impossible not-of-class,possible" ]
    # With C it is, for all that is seen: it merges nothing here.
    try score tiny.yaml --set model.attention=urpe --predictions p.safetensors --no-claims
    [ "$status" = 0 ]
    has "the class merges nothing here, so whether the model is of it was not tested" "$output"
}

@test "scores go into a shared file beside rows and other models" {
    make_file p.safetensors 'y=F32:16x4x1:0.5'
    for name in a b a; do
        probe score tiny.yaml --set model.attention=rpe --predictions p.safetensors --name $name \
            --csv all.csv --quiet --no-claims
    done
    probe run tiny.yaml --set model.attention=rpe --csv all.csv --quiet --no-claims
    [ "$(wc -l <all.csv)" = 10 ]
    [ "$(cut -d, -f1 all.csv | sort | uniq -c | tr -s ' \n' ' ')" = " 3 a 3 b 1 experiment 3 tiny " ]
}

@test "predictions that cannot be judged are refused" {
    refused() {
        try score tiny.yaml --set model.attention=rpe --predictions p.safetensors
        [ "$status" = 3 ]
        has "$1" "$errors"
        [ -z "$output" ]
    }
    make_file p.safetensors 'y=F32:15x4x1:0'
    refused "tensor \`y\` is F32 [15,4,1]; expected numbers F32 or F64 [16,4,1]"
    make_file p.safetensors 'y=F32:16x4x1:math.nan if i == (3, 2, 0) else 0'
    refused "\`y\` is not finite in sample 3 at position 2, output 0 (from 0)"
    try score tiny.yaml --predictions p.safetensors
    [ "$status" = 2 ]
    has "the spec has 2 cells; expected one: choose it by --cell ID, or --set" "$errors"
    try score tiny.yaml --set model.attention=rpe
    [ "$status" = 2 ]
    has "--predictions FILE is missing" "$errors"
    try samples tiny.yaml --set model.attention=rpe
    [ "$status" = 2 ]
    has "--out DIR is missing" "$errors"
}
