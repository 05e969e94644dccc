#!/usr/bin/env bats
# A witness's weights compute the same in PyTorch, by formulas that share nothing with the program.
load help_cmd

@test "PyTorch computes the same from the weights of eight witnesses, in float and double" {
    python=/usr/bin/python3 # Debian's, which has python3-torch
    "$python" -c 'import importlib.util as i, sys; sys.exit(not i.find_spec("torch"))' ||
        skip "$python has no torch"
    "$python" -B "$ROOT/tests/witness/witness_torch.py" "$URPE_PROBE" tiny.yaml
}
