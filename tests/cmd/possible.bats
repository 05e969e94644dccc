# Verdicts by proof, beside networks that are written from the formulas in Python and share no line with the
# program's: floors, `possible` and `impossible` are theirs, too.
load help_cmd.bash

@test "possible and impossible are what independent networks say" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    cat >p.yaml <<'SPEC'
name: p
seeds: 1
space: {length: 6, channels: 2, inputs: {identical: 0.25, palindrome: 0.25}}
target: gain
model: {layers: 1, heads: 2, width: 16, ffn: 8, precision: double}
evaluate: {samples: 16}
SPEC
    for encoding in toeplitz alibi none kerple-log; do
        for attention in rpe urpe; do
            for mask in none causal; do
                cell=(--set "model.encoding=$encoding" --set "model.attention=$attention" --set "model.mask=$mask")
                rm -rf given
                probe samples p.yaml "${cell[@]}" --out given >/dev/null
                probe bound p.yaml "${cell[@]}" --no-claims --format csv >bound.csv
                python3 "$BATS_TEST_DIRNAME/help_possible.py" given bound.csv $encoding $attention $mask >>said
            done
        done
    done
    [ "$(grep -c ' possible ' said)" -ge 30 ]
    [ "$(grep -c ' impossible ' said)" -ge 10 ]
}
