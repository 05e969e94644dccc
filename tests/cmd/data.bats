#!/usr/bin/env bats
# target data: samples of the user's own.  What errors and floors are of them, and what is refused.
load help_cmd.bash

make_file() { python3 "$ROOT/tests/cmd/help_data.py" "$@"; }

# A spec of the file $1; $2: keys of target, $3: of model, $4: of space.
data_spec() {
    command -v python3 >/dev/null || skip "python3 writes the files, and is not installed"
    cat >data.yaml <<SPEC
name: data
space: {${4:-length: 6, channels: 2}}
target: {kind: data, file: $1${2:+, $2}}
model: {encoding: alibi, attention: rpe, layers: 1, heads: 2, width: 8, ffn: 8${3:+, $3}}
train: {steps: 20, batch: 4}
evaluate: {samples: 1000, every: 50}
SPEC
}

# Column $1 of the row of subset all in results.csv of folder $2.
figure() {
    awk -F, -v name="$1" 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i}
        $at["subset"] == "all" {print $at[name]}' "$2/results.csv"
}

# The spec is refused with a text; nothing is written.
refused() {
    try run data.yaml --out out
    [ "$status" = 2 ]
    has "$1" "$errors"
    [ ! -e out ]
}

@test "floors are of the very test samples, and y has channels of its own" {
    # The last half are tested.  Odd samples there are identical tokens at each position, and y is the
    # position: without C half of the variance is out of reach.
    data_spec a.safetensors 'test: 0.5'
    make_file a.safetensors 'x=F32:40x6x2:0.25 if i[0]%2 else random()' 'y=F32:40x6x3:i[1]*0.1*(i[2]+1)'
    probe run data.yaml --out out --quiet
    [ "$(figure floor_rel out)" = 0.707106781 ]
    [ "$(figure verdict out)" = impossible ]
    # The results are complete without the file.
    mv a.safetensors gone
    cp out/results.csv before
    probe run out/specs/*.yaml --out out --quiet
    probe report out >/dev/null
    cmp before out/results.csv
}

@test "one label a sample: pooled, at the first position or by the mean" {
    data_spec b.safetensors 'test: 0.5, order: shuffled' 'pool: mean'
    # Equal samples with labels 0 and 1, three to one.
    make_file b.safetensors 'x=F32:80x6x2:0.5' 'y=I64:80:int(i[0] % 4 == 1)' \
        'split=U8:80:2*int(i[0] >= 40)'
    probe run data.yaml --out mean --quiet
    [ "$(figure accuracy_ceiling mean)" = 0.75 ]
    [ "$(figure accuracy mean)" = 0.75 ]
    # The interval is that of the 40 samples that there are, not of the 1000 that were asked for.
    grep ',accuracy,' mean/summary.csv | grep -q ',40,'
    probe run data.yaml --out first --quiet --set model.pool=first
    [ "$(figure accuracy_ceiling first)" = 0.75 ]
    # Samples that differ in the order of tokens alone have one mean where nothing tells places.
    make_file b.safetensors 'x=F32:80x6x2:((i[1] + i[0]) % 6) * 0.1' 'y=F32:80x1:i[0] % 2'
    probe run data.yaml --out bag --quiet --set model.encoding=none
    [ "$(figure floor_rel bag)" = 1 ]
    probe run data.yaml --out order --quiet
    [ "$(figure floor_rel order)" = 0 ]
    # Two out of three labels of the file, symbols in: an embedding and logits.
    data_spec c.safetensors '' 'pool: first' 'length: 6'
    make_file c.safetensors 'x=I64:40x6:i[1] % 5' 'y=I32:40:i[0] % 3'
    probe run data.yaml --out symbols --quiet
    [ "$(figure params symbols)" -gt 0 ]
}

@test "what does not count is in no figure and in no gradient" {
    data_spec a.safetensors
    make_file a.safetensors 'x=F32:40x6x2:random()' 'y=F32:40x6x1:i[1]' 'scored=BOOL:40x6:i[1] < 2'
    make_file b.safetensors 'x=F32:40x6x2:random()' 'y=F32:40x6x1:i[1] if i[1] < 2 else 7 * random()' \
        'scored=BOOL:40x6:i[1] < 2'
    for f in a b; do
        probe run data.yaml --set target.file=$f.safetensors --out $f --quiet
        [ "$(wc -l <$f/positions.csv)" = 7 ]
    done
    [ "$(figure error_rms a)" = "$(figure error_rms b)" ]
    cmp a/cells/*/weights.safetensors b/cells/*/weights.safetensors
    # Labels that PyTorch ignores.
    data_spec c.safetensors '' '' 'length: 6'
    make_file c.safetensors 'x=I32:40x6:i[1]' 'y=I64:40x6:-100 if i[1] else 1'
    probe run data.yaml --out ignored --quiet
    [ "$(figure accuracy ignored)" = 1 ]
    [ "$(figure accuracy_ceiling ignored)" = 1 ]
}

@test "samples shorter than others are trained and judged as if they were alone" {
    # What stands behind the fourth position of a is not there in b.
    make_file b.safetensors 'x=F32:40x4x1:i[0] * 7 % 5 * 0.2 + i[1] % 2' 'y=F32:40x4x1:i[1] * 0.1'
    make_file a.safetensors 'x=F32:40x6x1:i[0] * 7 % 5 * 0.2 + i[1] % 2 if i[1] < 4 else random()' \
        'y=F32:40x6x1:i[1] * 0.1 if i[1] < 4 else random()' 'lengths=I64:40:4'
    data_spec b.safetensors '' 'mask: causal' 'length: 4, channels: 1'
    probe run data.yaml --out b --quiet
    data_spec a.safetensors '' 'mask: causal' 'length: 6, channels: 1'
    probe run data.yaml --out a --quiet
    for f in floor_rms error_rms error_sup leak_rms; do
        [ "$(figure $f a)" = "$(figure $f b)" ]
    done
    cmp a/cells/*/weights.safetensors b/cells/*/weights.safetensors
    # Of all encodings and masks no network is better than a floor, and a file of other lengths differs.
    make_file c.safetensors 'x=F32:40x6x1:(i[0] + i[1]) % 2' 'y=F32:40x6x1:random()' \
        'lengths=I64:40:2 + i[0] % 5'
    probe run data.yaml --out c --quiet --set target.file=c.safetensors --set target.test=0.5 \
        --set model.encoding=[toeplitz,rope,fire,t5,sandwich,shaw] --set model.attention=[rpe,urpe] --set model.mask=[none,causal,window]
    awk -F, 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i; next}
        {n++; if ($at["error_rms"] < $at["floor_rms"] - $at["leak_rms"] || $at["leak_rms"] > 1e-5) exit 1}
        END {exit n != 72}' c/results.csv
    make_file a.safetensors 'x=F32:40x6x1:1' 'y=F32:40x6x1:1' 'lengths=I64:40:7 if i[0] == 3 else 2'
    rm -r a b c
    try run data.yaml --out out
    [ "$status" = 2 ]
    has "lengths[3] is 7; expected 1 to 6" "$errors"
}

@test "data on graphs and grids" {
    data_spec g.safetensors '' '' 'kind: graph, nodes: 6, channels: 1'
    make_file g.safetensors 'x=F32:40x6x1:1' 'y=F32:40x6x1:min(i[1], 1)' \
        'edges=I64:40x4x2:-1 if i[1] > 2 else i[1] if i[2] else i[1] + 1'
    probe run data.yaml --out graph --quiet --set model.attention=urpe # the path 0-1-2-3: of its ends one is 0, beside two alone
    [ "$(figure floor_rms graph)" = "$(python3 -c 'print("%.9g" % (1/12)**.5)')" ]
    data_spec d.safetensors '' 'pool: mean' 'kind: grid, height: 2, width: 3, channels: 1'
    make_file d.safetensors 'x=F32:40x6x1:random()' 'y=I64:40:i[0] % 2'
    probe run data.yaml --out grid --quiet
    [ "$(figure verdict grid)" != "" ]
}

@test "data that cannot be used is refused in its place" {
    local x='x=F32:20x6x2:random()' y='y=F32:20x6x1:random()'
    data_spec a.safetensors
    refused "data.yaml:3:28: target.file: "
    make_file a.safetensors "$x"
    refused "there is no tensor \`y\`"
    make_file a.safetensors "$x" "$y" 'attention_mask=I32:20x6:1'
    refused "tensor \`attention_mask\` would not be used"
    make_file a.safetensors "$x" 'y=F32:20x5x1:1'
    refused "tensor \`y\` is F32 [20,5,1]; expected numbers [N,n,d'] or labels [N,n]"
    make_file a.safetensors "$x" 'y=F32:20x6x1:math.inf if i[0] == 3 and i[1] == 2 else 0'
    refused "y[3,2,0] is inf; expected a finite number"
    make_file a.safetensors "$x" 'y=I64:20x6:-1 if i == (4, 5) else 0'
    refused "y[4,5] is -1; expected a whole number from 0 to 999999"
    make_file a.safetensors "$x" 'y=F32:20x1:0'
    refused "model.pool: target data has one y a sample; expected mean or first"
    make_file a.safetensors "$x" "$y" 'split=I64:20:1'
    refused "the training part has none of the 20 samples"
    make_file a.safetensors 'x=F32:20x5x2:0' 'y=F32:20x5x1:0'
    refused "samples of a.safetensors have 5 positions, not 6; expected space.length: 5"
    make_file a.safetensors 'x=F32:20x6x3:0' "$y"
    refused "space.channels: inputs of a.safetensors have 3 channels, not 2; expected space.channels: 3"
    make_file a.safetensors "$x" "$y" 'edges=I64:20x1x2:i[2]'
    refused "a.safetensors has a tensor \`edges\`, and space 'sequence' has no use for it"
    head -c 100 a.safetensors >b && mv b a.safetensors
    refused "data.yaml:3:28: target.file: a.safetensors: "
    data_spec a.safetensors '' 'pool: mean'
    make_file a.safetensors "$x" "$y"
    refused "model.pool: target data has an output at every position"
}

# ---- inputs by a line of Lua -------------------------------------------------------------------
# A spec whose inputs are all what $1 makes; $2: the target, $3: further keys of space.
own_inputs() {
    cat >data.yaml <<SPEC
name: data
space: {length: 6, inputs: {lua: {share: 1, x: "$1"}}${3:+, $3}}
target: ${2:-position}
model: {encoding: alibi, attention: rpe, layers: 1, heads: 2, width: 8, ffn: 8}
train: {steps: 5, batch: 4}
evaluate: {samples: 20, networks: 0}
SPEC
}

@test "inputs are what a line of Lua makes of places, of the sample's number and of its named numbers" {
    own_inputs 'r.a' position 'channels: 2' # all tokens equal, another one in each sample
    probe bound data.yaml --out one --quiet
    mv one/bound.csv one/results.csv
    [ "$(figure floor_rel one)" = 1 ]
    probe bound data.yaml --out two --quiet
    cmp one/results.csv two/bound.csv
    own_inputs 'i == 1 and 1 or 0.5' position 'channels: 1' # the first tells the place
    probe bound data.yaml --out three --quiet
    mv three/bound.csv three/results.csv
    [ "$(figure floor_rel three)" = 0 ]
    own_inputs 'k % 2' position 'channels: 1' # two samples in turn
    probe samples data.yaml --out four --train 2
    own_inputs '(i <= n / 2) and x[i] or x[n + 1 - i]' '{kind: histogram, vocab: 3}'
    probe bound data.yaml --out five --quiet
    probe run data.yaml --out six --quiet
}

@test "a line of Lua for inputs that is wrong is refused in place, or ends its cell" {
    own_inputs 'nope('
    try check data.yaml
    [ "$status" = 2 ]
    has 'data.yaml:2:48: space.inputs.lua.x: x:1:' "$errors"
    own_inputs '0/0' position 'channels: 1'
    try bound data.yaml
    [ "$status" != 0 ]
    has 'x[1][1] is nan; expected a finite number' "$errors"
    own_inputs 'nil' '{kind: histogram, vocab: 3}'
    try bound data.yaml
    [ "$status" != 0 ]
    has 'x[1] is nil; expected a symbol, a whole number from 0 to 2' "$errors"
}
