#!/usr/bin/env bats
# predict: outputs against a forward pass in plain Python, and everything that it refuses.
load help_cmd.bash

tool() { python3 "$ROOT/tests/cmd/help_predict.py" "$@"; }

# Trains one cell; $1..: options.  CELL is its folder.
train() {
    command -v python3 >/dev/null || skip "python3 writes the inputs, and is not installed"
    probe run tiny.yaml --quiet --no-claims --jobs 1 --threads 1 --set model.attention=urpe "$@"
    CELL=$(ls -d results/tiny/cells/*)
    [ "$(echo "$CELL" | wc -l)" = 1 ]
}

# Predicts from in.safetensors; the outcome is an error with text $2 and status $1, and out.safetensors
# is as it was.
refuses() {
    echo old >out.safetensors
    try predict "$CELL" --input in.safetensors --output out.safetensors
    [ "$status" = "$1" ]
    has "$2" "$errors"
    [ -z "$output" ]
    [ "$(cat out.safetensors)" = old ]
    [ -z "$(find . -name '.tmp-*')" ]
}

@test "predict computes what the formulas say, in float" {
    train --set train.steps=40
    tool write in.safetensors F32 3x4x1
    try predict "$CELL" --input in.safetensors --output out.safetensors
    [ "$status" = 0 ]
    [ -z "$output$errors" ]
    [ "$(tool shape out.safetensors)" = "F32 3x4x1" ]
    tool compare "$CELL/weights.safetensors" in.safetensors out.safetensors 1e-5
    # The comparison can fail: float's rounding is seen.
    run tool compare "$CELL/weights.safetensors" in.safetensors out.safetensors 1e-9
    [ "$status" != 0 ]
}

@test "predict in double" {
    train --set model.precision=double
    tool write in.safetensors F64 2x4x1
    try predict "$CELL" --input in.safetensors --output out.safetensors
    [ "$status" = 0 ]
    [ "$(tool shape out.safetensors)" = "F64 2x4x1" ]
    tool compare "$CELL/weights.safetensors" in.safetensors out.safetensors 1e-13
}

@test "predict gives logits for tokens, and takes symbols only" {
    train --set 'target={kind: pi, vocab: 3}'
    tool write in.safetensors I32 2x4
    try predict "$CELL" --input in.safetensors --output out.safetensors
    [ "$status" = 0 ]
    [ "$(tool shape out.safetensors)" = "F32 2x4x4" ]
    tool write in.safetensors F32 2x4x1
    refuses 3 "tensor \`x\` is F32; expected I32 or I64, as the cell takes symbols"
    tool write in.safetensors I32 2x4x1
    refuses 3 "tensor \`x\` has 3 dimensions; expected 2"
}

@test "predict refuses a wrong type, shape or name" {
    train --set train.steps=0
    tool write in.safetensors F64 1x4x1
    refuses 3 "tensor \`x\` is F64; expected F32, as the cell computes in float"
    tool write in.safetensors I32 1x4x1
    refuses 3 "tensor \`x\` is I32; expected F32"
    tool write in.safetensors F32 4x1
    refuses 3 "tensor \`x\` has 2 dimensions; expected 3: [batch,n,channels]"
    tool write in.safetensors F32 1x4x2
    refuses 3 "tensor \`x\` has 2 channels; the cell has 1"
    tool write in.safetensors F32 0x4x1
    refuses 3 "expected at least one sample"
    tool write in.safetensors F32 1x4x1 z
    refuses 3 "there is no tensor \`x\`; expected F32 [batch,n,channels]"
}

@test "predict speaks of the tensor, not of the spec, where an encoding ends at the training length" {
    train --set train.steps=0 --set model.encoding=learned
    tool write in.safetensors F32 1x6x1
    refuses 3 "in.safetensors: tensor \`x\` has 6 positions: learned is undefined beyond"
    [[ "$errors" != *evaluate.lengths* ]]
}

@test "predict refuses a file that is truncated, corrupt or missing" {
    train --set train.steps=0
    tool write whole.safetensors F32 2x4x1
    for size in 0 7 8 40 $(($(stat -c %s whole.safetensors) - 1)); do
        head -c "$size" whole.safetensors >in.safetensors
        refuses 3 "in.safetensors: "
    done
    (cat whole.safetensors && echo more) >in.safetensors
    refuses 3 "in.safetensors: "
    tool huge in.safetensors
    refuses 3 "header"
    cp tiny.yaml in.safetensors
    refuses 3 "in.safetensors: not a safetensors file"
    try predict nosuch --input in.safetensors --output out.safetensors
    [ "$status" = 3 ]
    has "nosuch: does not exist; expected a folder under cells/" "$errors"
    tool overlap in.safetensors
    refuses 3 "in.safetensors: "
    rm in.safetensors
    refuses 3 "in.safetensors: "
}

@test "predict refuses a cell with weights that are damaged, foreign or not there" {
    train --set train.steps=0
    tool write in.safetensors F32 1x4x1
    cp "$CELL/weights.safetensors" kept
    head -c 300 kept >"$CELL/weights.safetensors"
    refuses 3 "weights.safetensors: "
    cp in.safetensors "$CELL/weights.safetensors"
    refuses 3 "weights.safetensors: "
    rm "$CELL/weights.safetensors"
    refuses 3 "weights.safetensors: "
    cp kept "$CELL/weights.safetensors"
    try predict "$CELL" --input in.safetensors --output out.safetensors
    [ "$status" = 0 ]
}

@test "predict on graphs takes each sample's edges" {
    train --set train.steps=40 --set 'space={kind: graph, nodes: 5, max_distance: 3, channels: 1}' \
        --set target=degree
    tool graphs in.safetensors 2x4x1 0-1,1-2,2-1
    try predict "$CELL" --input in.safetensors --output out.safetensors
    [ "$status" = 0 ]
    [ -z "$output$errors" ]
    tool compare "$CELL/weights.safetensors" in.safetensors out.safetensors 1e-5
    # Graphs of their own, more nodes than in training, and a distance beyond the cap.
    tool graphs in.safetensors 3x7x1 '0-1,1-2,2-3,3-4,4-5,5-6;;6-0,2-3'
    try predict "$CELL" --input in.safetensors --output out.safetensors
    [ "$status" = 0 ]
    tool compare "$CELL/weights.safetensors" in.safetensors out.safetensors 1e-5
    # The comparison can fail: other edges are seen.
    tool graphs in.safetensors 3x7x1 '0-1,1-2,2-3,3-4,4-5,5-6;;6-0,2-4'
    run tool compare "$CELL/weights.safetensors" in.safetensors out.safetensors 1e-5
    [ "$status" != 0 ]
    tool write in.safetensors F32 2x4x1
    refuses 3 "there is no tensor \`edges\`"
    tool graphs in.safetensors 2x4x1 0-1,1-4
    refuses 3 "edge 1 joins nodes 1 and 4; expected two different ones from 0 to 3"
    tool graphs in.safetensors 3x4x1 '0-1;1-2'
    refuses 3 "tensor \`edges\` is I32 of 3 dimensions; expected I32 or I64 [edges,2], or [batch,edges,2]"
}

@test "predict leaves out what is behind a sample's length" {
    local make="python3 $ROOT/tests/cmd/help_data.py"
    train --set train.steps=40 --set model.precision=double
    # Padding may be anything, NaN too; the outputs are those of the shorter sequence, and zeros.
    $make in.safetensors 'x=F64:2x7x1:(i[1] * 5 + 3) % 16 / 16 if i[1] < 4 else math.nan' 'lengths=I64:2:4'
    try predict "$CELL" --input in.safetensors --output out.safetensors --attention maps.safetensors
    [ "$status" = 0 ]
    [ -z "$output$errors" ]
    $make short.safetensors 'x=F64:2x4x1:(i[1] * 5 + 3) % 16 / 16'
    probe predict "$CELL" --input short.safetensors --output want.safetensors --attention short.maps
    tool padded out.safetensors want.safetensors y 0
    tool padded maps.safetensors short.maps row_sums 0
    tool padded maps.safetensors short.maps weights 0
    tool compare "$CELL/weights.safetensors" short.safetensors want.safetensors 1e-13
    # What is within the length counts.
    $make in.safetensors 'x=F64:2x7x1:(i[1] * 5 + 3) % 16 / 16' 'lengths=I32:2:i[0] + 4'
    probe predict "$CELL" --input in.safetensors --output out.safetensors
    run tool padded out.safetensors want.safetensors y 0
    [ "$status" != 0 ]
    $make in.safetensors 'x=F64:2x6x1:1' 'lengths=I64:2:6 * i[0]'
    refuses 3 "\`lengths[0]\` is 0; expected 1 to 6"
    $make in.safetensors 'x=F64:2x6x1:1' 'lengths=I64:3:1'
    refuses 3 "tensor \`lengths\` is I64 of 1 dimensions; expected I32 or I64 [2]"
    $make in.safetensors 'x=F64:2x6x1:math.nan if i[1] == 1 else 0' 'lengths=I64:2:2'
    refuses 3 "\`x[0,1,"
}

@test "predict takes positions, of cells that draw them and of others" {
    local make="python3 $ROOT/tests/cmd/help_data.py"
    train --set train.steps=40 --set model.precision=double
    $make plain.safetensors 'x=F64:2x4x1:(i[1] * 5 + 3) % 16 / 16'
    probe predict "$CELL" --input plain.safetensors --output want.safetensors
    $make in.safetensors 'x=F64:2x4x1:(i[1] * 5 + 3) % 16 / 16' 'position_ids=I64:2x4:i[1] + 3'
    try predict "$CELL" --input in.safetensors --output out.safetensors
    [ "$status" = 0 ]
    tool padded out.safetensors want.safetensors y 1e-13 # offsets alone count
    $make in.safetensors 'x=F64:2x4x1:(i[1] * 5 + 3) % 16 / 16' 'position_ids=I32:4:2 * i[0]'
    probe predict "$CELL" --input in.safetensors --output out.safetensors
    run tool padded out.safetensors want.safetensors y 1e-4
    [ "$status" != 0 ]
    $make in.safetensors 'x=F64:2x4x1:0' 'position_ids=I64:2x4:3 - i[1]'
    refuses 3 "position_ids[0]\`: element 1 is 2; expected ascending ones from 0 to 4095"
    $make in.safetensors 'x=F64:2x4x1:0' 'position_ids=I64:2x3:i[1]'
    refuses 3 "tensor \`position_ids\` is I64 of 2 dimensions; expected I32 or I64 [n], or [batch,n]"
    rm -r results
    train --set train.steps=40 --set model.precision=double --set space.positions.random=9
    refuses 3 "tensor \`position_ids\` is I64 of 2 dimensions"
    $make in.safetensors 'x=F64:2x4x1:0'
    refuses 3 "there is no tensor \`position_ids\`, and the cell's positions are drawn"
    $make in.safetensors 'x=F64:2x4x1:0' 'position_ids=I64:2x4:i[1] + 6'
    refuses 3 "element 3 is 9; expected ascending ones from 0 to 8"
    $make in.safetensors 'x=F64:2x4x1:i[1] / 4' 'position_ids=I64:2x4:i[1] + 3 * i[0]' 'lengths=I64:2:4 - i[0]'
    try predict "$CELL" --input in.safetensors --output out.safetensors
    [ "$status" = 0 ]
}

@test "predict refuses what it would not use, and what is not finite" {
    local make="python3 $ROOT/tests/cmd/help_data.py"
    train --set train.steps=0
    $make in.safetensors 'x=F32:2x4x1:1' 'attention_mask=I64:2x4:1'
    refuses 3 "tensor \`attention_mask\` would not be used"
    $make in.safetensors 'x=F32:2x4x1:math.inf if i == (1, 2, 0) else 0'
    refuses 3 "\`x[1,2,0]\` is inf; expected a finite number"
    $make in.safetensors 'x=F32:2x4x1:1'
    python3 - "$CELL/weights.safetensors" <<'PYTHON'
import json, struct, sys
b = bytearray(open(sys.argv[1], "rb").read())
n = struct.unpack("<Q", b[:8])[0]
at = json.loads(b[8:8 + n])["encoding.bias"]["data_offsets"][0]
b[8 + n + at:8 + n + at + 4] = struct.pack("<f", -float("inf"))
open(sys.argv[1], "wb").write(b)
PYTHON
    refuses 3 "weights.safetensors: tensor encoding.bias: element 0 is -inf"
    rm -r results
    train --set 'target={kind: pi, vocab: 3}'
    $make in.safetensors 'x=I32:2x4:i[1] % 3'
    probe predict "$CELL" --input in.safetensors --output a
    $make in.safetensors 'x=I64:2x4:i[1] % 3'
    probe predict "$CELL" --input in.safetensors --output b
    cmp a b
    $make in.safetensors 'x=I64:2x4:2 ** 33 if i == (1, 2) else 0'
    refuses 3 "\`x[1,2]\` is 8589934592; expected a symbol from 0 to 2"
}

# Shape of row_sums in maps.safetensors; fails unless these are the sums of weights, and between $1 and
# $2, and weights of keys behind the query are 0.
check_maps() {
    python3 - "$1" "$2" <<'PYTHON'
import json, struct, sys
low, high = map(float, sys.argv[1:])
b = open("maps.safetensors", "rb").read()
n = struct.unpack("<Q", b[:8])[0]
head = json.loads(b[8:8 + n])
def read(name):
    a, e = head[name]["data_offsets"]
    return head[name]["shape"], struct.unpack("<%df" % ((e - a) // 4), b[8 + n + a:8 + n + e])
shape, weights = read("weights")
rows, sums = read("row_sums")
assert shape == rows + rows[-1:], (shape, rows)
k = rows[-1]
for r, s in enumerate(sums):
    row = weights[r * k:(r + 1) * k]
    assert abs(sum(row) - s) < 1e-5 and low - 1e-5 <= s <= high + 1e-5, (r, row, s)
    assert not any(row[r % k + 1:])
assert max(weights) - min(weights) > 0.01
print("x".join(map(str, rows)))
PYTHON
}

@test "predict writes attention weights and their row sums" {
    local make="python3 $ROOT/tests/cmd/help_data.py"
    $make in.safetensors 'x=F32:3x4x1:random()'
    attention() { # of a network with options $@
        rm -rf results
        train --set model.layers=2 --set model.heads=2 --set model.mask=causal --set train.steps=40 "$@"
        probe predict "$CELL" --input in.safetensors --output out.safetensors
        cp out.safetensors before
        probe predict "$CELL" --input in.safetensors --output out.safetensors --attention maps.safetensors
        cmp before out.safetensors
    }
    attention --set model.attention=rpe
    [ "$(check_maps 1 1)" = 3x2x2x4 ]
    attention --set model.attention=rpe --set model.normaliser=softmax-one
    [ "$(check_maps 0.1 0.95)" = 3x2x2x4 ]
    attention --set model.attention=rpe --set model.prefix=bos
    [ "$(check_maps 1 1)" = 3x2x2x5 ]
    attention --set train.lr=0.05
    run check_maps 1 1
    [ "$status" != 0 ] # C
    check_maps -9 9
}

@test "evaluate judges the weights that a cell has now" {
    train --set 'evaluate.lengths=[6]'
    cut -d, -f2-31 results/tiny/results.csv >rows
    probe evaluate "$CELL" --format csv | cut -d, -f2-19,22-31 >now
    cut -d, -f1-18,21-30 rows | diff - now
    # Weights of another seed: other errors, the same floors.
    cp -r results kept
    rm -r results
    train --set 'evaluate.lengths=[6]' --set 'seeds=[5]'
    cp "$CELL/weights.safetensors" kept/tiny/cells/*/
    probe evaluate kept/tiny/cells/* --format csv | cut -d, -f2-19,22-31 >other
    [ "$(cut -d, -f1-18 other)" = "$(cut -d, -f1-18 now)" ]
    [ "$(cut -d, -f20-22 other)" != "$(cut -d, -f20-22 now)" ]
    echo damaged >kept/tiny/cells/*/weights.safetensors
    try evaluate kept/tiny/cells/*
    [ "$status" = 3 ]
    has "weights.safetensors: " "$errors"
    try evaluate nosuch
    [ "$status" = 3 ]
}

@test "predict: usage" {
    try predict
    [ "$status" = 2 ]
    has "CELL is missing" "$errors"
    try predict . --output out.safetensors
    [ "$status" = 2 ]
    has "--input FILE is missing" "$errors"
    try predict . --input in.safetensors
    [ "$status" = 2 ]
    has "--output FILE is missing" "$errors"
    try predict . --input in.safetensors --output out.safetensors
    [ "$status" = 2 ]
    has "this is no finished cell" "$errors"
    [ "$(ls)" = tiny.yaml ]
    try run tiny.yaml --input in.safetensors
    [ "$status" = 2 ]
}

@test "predict says so when the output cannot be written" {
    train --set train.steps=0
    tool write in.safetensors F32 1x4x1
    try predict "$CELL" --input in.safetensors --output nowhere/out.safetensors
    [ "$status" = 3 ]
    has "nowhere" "$errors"
}
