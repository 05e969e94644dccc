#!/usr/bin/env bats
# A witness's weights compute the same in PyTorch, by formulas that share nothing with the program.
load help_cmd

PYTHON=/usr/bin/python3
tool() { "$PYTHON" -B "$ROOT/tests/witness/witness_torch.py" "$@"; }

# Writes the witness of a target, runs it here and there, and sees that other weights are found out.
# $1: precision, $2: tolerance, $3: target, $4..: options
agree() {
    "$PYTHON" -c 'import torch' 2>/dev/null || skip "$PYTHON has no torch"
    rm -rf w
    probe witness tiny.yaml --quiet --no-claims --out w --set model.attention=urpe \
        --set space.length=16 --set "model.precision=$1" --set "target=$3" "${@:4}" >/dev/null
    cell=$(ls -d w/cells/*)
    tool write "$cell" in.safetensors
    try predict "$cell" --input in.safetensors --output out.safetensors
    [ "$status" = 0 ]
    tool compare "$cell" in.safetensors out.safetensors "$2"
    tool disturb "$cell"
    run tool compare "$cell" in.safetensors out.safetensors "$2"
    [ "$status" != 0 ]
    has "of the largest output apart" "$output"
}

both() {
    agree double 1e-12 "$@"
    agree float 1e-5 "$@"
}

@test "PyTorch computes the same: gain" { both gain --set space.channels=3; }
@test "PyTorch computes the same: affine" { both affine --set space.channels=3; }
@test "PyTorch computes the same: prefix_sum" { both prefix_sum; }
@test "PyTorch computes the same: reverse" { both reverse; }
@test "PyTorch computes the same: gain under ALiBi" { both gain --set model.encoding=alibi; }
@test "PyTorch computes the same: prefix_sum under a causal mask" {
    both prefix_sum --set model.mask=causal
}
@test "PyTorch computes the same: pi" { both '{kind: pi, vocab: 5}'; }
@test "PyTorch computes the same: etp" { both '{kind: etp, vocab: 5}'; }
