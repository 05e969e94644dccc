# What floors over orbits cost.
load help_cmd

@test "bound: the shifts of 256 samples of 256 tokens fit in 400 MB, and take seconds" {
    cat >orbits.yaml <<'SPEC'
seeds: 1
space: {length: 256, channels: 4, inputs: {identical: 0.5}}
target: gain
model: {encoding: toeplitz, attention: rpe, width: 16, ffn: 32}
evaluate: {samples: 256, orbit: shifts}
claims: [{on: bound, where: {subset: identical}, expect: {floor_rel: ["> 0.999999", "< 1.000001"], verdict: impossible}}]
SPEC
    # Of address space: the BLAS library alone reserves 128 MB.
    (ulimit -v 409600 && probe --version >/dev/null 2>&1) || skip "this build needs more than that"
    # A sixth of the time that was needed before, of a processor that others use too.
    (ulimit -v 409600 -t 20; probe bound orbits.yaml --quiet --threads 1)
}

@test "check: merging for the floors has a price" {
    printf '%s\n' 'space: {length: 64, inputs: {identical: 0.5}}' 'target: gain' 'train: {steps: 1}' \
        'evaluate: {samples: 64, orbit: shifts, every: 1, witness: never}' >floors.yaml
    try check floors.yaml
    [ "$status" -eq 0 ]
    has " floors " "$(grep '^# time' <<<"$output")"
    has " floors " "$(grep '^# memory of the largest cell' <<<"$output")"
}
