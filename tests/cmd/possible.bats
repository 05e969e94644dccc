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
    for cell in {toeplitz,alibi,none,kerple-log}\ {rpe,urpe}\ {none,causal}\ softmax \
        {toeplitz,rope,none}\ rpe\ {none,causal,window}\ {sink,sigmoid} {toeplitz,rope}\ rpe\ {none,window}\ softmax; do
        read -r encoding attention mask normaliser <<<"$cell"
        set -- --set "model.encoding=$encoding" --set "model.attention=$attention" --set "model.mask.kind=$mask" \
            --set "model.normaliser.kind=$normaliser"
        [ $mask = window ] && set -- "$@" --set model.mask.past=3
        [ $normaliser = sigmoid ] && set -- "$@" --set model.normaliser.minus_log=none
        rm -rf given
        probe samples p.yaml "$@" --out given >/dev/null
        probe bound p.yaml "$@" --no-claims --format csv >bound.csv
        python3 "$BATS_TEST_DIRNAME/help_possible.py" given bound.csv $cell >>said
    done
    for normaliser in softmax sink sigmoid; do
        [ "$(grep -c " $normaliser .* possible " said)" -ge 20 ]
    done
    [ "$(grep -c ' impossible ' said)" -ge 10 ]
}
