#!/usr/bin/env bats
# The worked example of experiments/own: a model in PyTorch lands on its floor, and the same with one of
# three bugs is told from the class.
load help_cmd.bash

@test "a model from PyTorch lands on its floor, and three bugs are told" {
    python=/usr/bin/python3 # Debian's, which has python3-torch
    "$python" -c 'import importlib.util as i, sys; sys.exit(not i.find_spec("torch"))' ||
        skip "$python has no torch"
    local own="$ROOT/experiments/own"
    probe samples "$own/own.yaml" --out own --train 4800
    "$python" -B "$own/own_torch.py" own y.safetensors
    try score "$own/own.yaml" --predictions y.safetensors --format csv
    [ "$status" = 0 ]
    # On identical inputs the floor of the error is 1/4, and so is the error.
    echo "$output" | awk -F, 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i}
        $at["subset"] == "identical" {found = 1
            if ($at["accuracy"] != 0.75 || $at["accuracy_ceiling"] != 0.75 || $at["verdict"] != "impossible") exit 1}
        END {exit !found}'
    "$python" -B -c 'import sys
sys.path.insert(0, sys.argv[1])
import own_torch
for bug in sys.argv[2:]: own_torch.main("own", bug + ".safetensors", bug)' "$own" leak pad zero-key
    for bug in leak pad zero-key; do
        try score "$own/own.yaml" --predictions $bug.safetensors --name "with-$bug" --no-claims
        [ "$status" = 1 ]
        has "NOT of the class" "$output"
    done
}
