#!/usr/bin/env bats
# Witnesses from the command line.
load help_cmd

@test "witness: a row per cell, exact where one is known, empty where none is" {
    try witness tiny.yaml --format csv --no-claims
    [ "$status" = 0 ]
    [ "$(fields target encoding attention precision status layers heads error_sup <<<"$output")" = \
        $'position,toeplitz,rpe,float,none,,,\nposition,toeplitz,urpe,float,ok,1,1,0' ]
    [ "$(fields width ffn error_rms accuracy <<<"$output" | head -n 1)" = ,,, ]
    has "no witness known for position" "$errors"
    try witness tiny.yaml --format json --no-claims --quiet
    [ -z "$output" ]
}

# What `run` shows beside a trained network is what `witness` measures, on the same samples.
@test "run: the witness stands beside floor and error, and can be left out" {
    LC_ALL=C try run tiny.yaml --no-claims --set "target=[gain, mean]" # no curves in the table
    [ "$status" = 0 ]
    grep -q "floor witness verdict" <<<"$(echo "$output" | tr -s ' ')"
    grep -q "gain rpe .* none known impossible" <<<"$(echo "$output" | tr -s ' ')"
    "$URPE_PROBE" witness tiny.yaml --set "target=[gain, mean]" --out w \
        --quiet --no-claims
    fields subset attention witness_rms witness_sup <results/tiny/results.csv |
        sed -n 's/^all,//p' | grep -v ',$' | sort >run.txt
    fields attention error_rms error_sup <w/witness.csv | grep -v ',$' | sort >witness.txt
    [ "$(wc -l <run.txt)" = 3 ]
    diff run.txt witness.txt
    try run tiny.yaml --set evaluate.witness=never --no-claims --out bare
    [ "$(fields attention witness_rms witness_sup <bare/results.csv | sort -u | xargs)" = \
        "rpe,, urpe,," ]
    [[ "$output" != *witness* ]]
}

@test "run: a witness that takes more work than the training is left out unless it is asked for" {
    known() { fields witness witness_accuracy <"$1/results.csv" | sed 's/,.*[0-9].*/+/; s/,$//' | sort -u | xargs; }
    pi=(--set target.kind=pi --set space.length=40 --set model.attention=rpe --set space.channels=4
        --set evaluate.samples=2000)
    try run tiny.yaml "${pi[@]}" --no-claims --out auto
    [ "$(known auto)" = left-out ]
    has left-out "$output"
    try run tiny.yaml "${pi[@]}" --no-claims --out always --set evaluate.witness=always \
        --set evaluate.samples=4
    [ "$(known always)" = known+ ]
}

@test "witness: claims made on it are judged, and others are not" {
    cat >>tiny.yaml <<'SPEC'
  - {on: witness, where: {subset: all}, expect: {error_sup: "<= 1e-6"}}
SPEC
    try witness tiny.yaml
    [ "$status" = 0 ]
    has "held" "$output"
    sed -i 's/<= 1e-6/>= 1/' tiny.yaml
    try witness tiny.yaml
    [ "$status" = 1 ]
    has "NOT HELD" "$output"
}

@test "witness: --out writes cells that predict runs, and the target comes out" {
    try witness tiny.yaml
    has '1 claim of the spec is about `run`, and not judged here' "$errors"
    try witness tiny.yaml --out w --quiet --no-claims --set model.attention=urpe \
        --set model.precision=double
    [ "$status" = 0 ]
    [ -s w/witness.csv ]
    cell=$(ls -d w/cells/*)
    [ -s "$cell/spec.yaml" ]
    [ -s "$cell/row.csv" ]
    python3 - <<'PY'
import json, struct
x = [i / 8 for i in range(8)]
head = json.dumps({"x": {"dtype": "F64", "shape": [2, 4, 1], "data_offsets": [0, 64]}}).encode()
head += b" " * (-len(head) % 8)
open("in", "wb").write(struct.pack("<Q", len(head)) + head + struct.pack("<8d", *x))
PY
    try predict "$cell" --input in --output y
    [ "$status" = 0 ]
    python3 - <<'PY'
import json, struct
bytes = open("y", "rb").read()
size = struct.unpack("<Q", bytes[:8])[0]
y = struct.unpack("<8d", bytes[8 + size:8 + size + 64])
assert all(abs(y[k] - (k % 4 + 1) / 4) < 1e-12 for k in range(8)), y
PY
}

# A witness's cell is another one than the cell asked for: hand-written weights never pass for
# trained ones.
@test "witness: --out into a run's folder leaves trained cells alone, and run does not take it for them" {
    "$URPE_PROBE" run tiny.yaml --out both --quiet --no-claims
    (cd both && find cells -type f -exec md5sum {} + | sort) >before.txt
    "$URPE_PROBE" witness tiny.yaml --out both --quiet --no-claims
    (cd both && md5sum --check --quiet ../before.txt)
    "$URPE_PROBE" witness tiny.yaml --out alone --quiet --no-claims
    try run tiny.yaml --out alone --no-claims
    has "2 trained, 0 finished before" "$errors"
}

@test "witness: the spec of its cell is that of a run from the witness without a step" {
    "$URPE_PROBE" witness tiny.yaml --out w --quiet --no-claims --set model.attention=urpe
    cell=$(basename w/cells/*)
    "$URPE_PROBE" run "w/cells/$cell/spec.yaml" --out again --quiet --no-claims
    cmp w/cells/"$cell"/weights.safetensors again/cells/"$cell"/weights.safetensors
    [ "$(ls again/cells)" = "$cell" ]
}

@test "witness: the experiments hold" {
    for name in witness-selection witness-generic; do
        try witness "$ROOT/experiments/$name.yaml" --quiet
        [ "$status" = 0 ]
    done
}
