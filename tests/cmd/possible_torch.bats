#!/usr/bin/env bats
# Verdicts `possible`, from the program's own random networks, computed again in PyTorch.
load help_cmd

@test "what is possible is told apart by PyTorch, from exported weights, for every encoding" {
    python=/usr/bin/python3 # Debian's, which has python3-torch
    "$python" -c 'import importlib.util as i, sys; sys.exit(not i.find_spec("torch"))' ||
        skip "$python has no torch"
    cat >p.yaml <<'SPEC'
name: p
seeds: 1
space: {length: 6, channels: 3, inputs: {identical: 0.25, palindrome: 0.25}}
target: position
model: {layers: 1, heads: 2, width: 8, ffn: 8, precision: double}
evaluate: {samples: 16, images: 4, lengths: [4, 6], witness: never}
grid:
  model.attention: [rpe, urpe]
  model.normaliser: [softmax, sink, sigmoid, ssmax]
  model.prefix: [none, bos]
  model.mask: [none, causal, {kind: window, past: 3}]
SPEC
    # Encodings by turns, but with URPE_FULL: of the normalisers one half has a prefix, and another half C; or the other halves.
    local k halves=('[softmax, sink]' '[sigmoid, ssmax]') others=('[softmax, sigmoid]' '[sink, ssmax]')
    cp p.yaml p0.yaml && cp p.yaml p1.yaml
    for k in $([ "${URPE_FULL:-}" ] || echo 0 1); do
        printf '%s\n' 'except:' "  - {model.prefix: bos, model.normaliser: ${halves[k]}}" \
            "  - {model.prefix: none, model.normaliser: ${halves[1 - k]}}" \
            "  - {model.attention: rpe, model.normaliser: ${others[k]}}" \
            "  - {model.attention: urpe, model.normaliser: ${others[1 - k]}}" >>"p$k.yaml"
    done
    "$python" -B -W ignore::UserWarning "$BATS_TEST_DIRNAME/possible_torch.py" "$URPE_PROBE" p0.yaml p1.yaml
}
