#!/usr/bin/env bats
# Presets and convolutions from a spec: floors, no witness, no certificate, no explanation.

load help_cmd

@test "presets on an axis: each has its rows, and its prefix can be taken away" {
    cat >presets.yaml <<'SPEC'
space: {length: 4, channels: 1, inputs: {identical: 0.5}}
target: position
model: {layers: 1, heads: 2, width: 16}
evaluate: {samples: 16}
grid: {model.preset: [bloom, mpt-7b, llama-3, gpt-oss], model.prefix: [none, bos]}
SPEC
    probe bound presets.yaml --format csv >rows.csv
    python3 - rows.csv <<'PY'
import csv, sys
rows = [r for r in csv.DictReader(open(sys.argv[1])) if r["subset"] == "identical"]
assert len(rows) == 8, len(rows)
for r in rows:
    axes = dict(one.split("=", 1) for one in r["axes"].split())
    free = axes["model.prefix"] == "bos" or axes["model.preset"] == "gpt-oss"
    assert (float(r["floor_rel"]) == 0) == free, r
PY
    run probe check presets.yaml --set model.preset=gpt-os
    [ "$status" = 2 ]
    [[ $output == *"did you mean gpt-oss?"* ]]
}

@test "a convolution undoes the floor; what does not know it says so" {
    probe bound tiny.yaml --no-claims --set model.attention=rpe \
        --set 'model.convolution=[none, canon, shift]' --format csv >rows.csv
    [ "$(python3 -c 'import csv
print(*(float(r["floor_rel"]) > 0.5 for r in csv.DictReader(open("rows.csv")) if r["subset"] == "identical"))')" = \
        "True False False" ]
    run probe explain tiny.yaml --set model.convolution=canon
    [ "$status" = 2 ]
    [[ $output == *"expected plan: none, prefix: none and convolution: none"* ]]
    run probe check tiny.yaml --set model.convolution=canon --set space.kind=grid
    [ "$status" = 2 ]
    [[ $output == *"model.convolution"* ]]
}
