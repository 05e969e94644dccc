# explain: from colours to the floor.
load help_cmd

gain() {
    probe explain "$BATS_TEST_DIRNAME/../../experiments/quickstart.yaml" --set target.kind=gain \
        --set space.length=4 --set space.channels=1 "$@"
}

@test "explain: positions, rule, arithmetic and verdict" {
    run gain --set model.attention=rpe
    [ "$status" -eq 0 ]
    [[ "$output" == *"positions 1 to 4 of sample"* ]]
    [[ "$output" == *"(one colour)"* ]]
    [[ "$output" == *"floor_rel = 1,"* ]]
    [[ "$output" == *"impossible."* ]]
    run gain --set model.attention=urpe
    [[ "$output" == *"nothing is proved impossible"* ]]
}

@test "explain: JSON has the floor that bound has, and the picture is XML" {
    gain --set model.attention=rpe --format json >why.json
    [ "$(jq -r .rule why.json)" = "one colour" ]
    [ "$(jq -c '.samples[0].rounds' why.json)" = "[[0,0,0,0],[0,0,0,0]]" ]
    gain --set model.attention=rpe --format svg >why.svg
    python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' why.svg
}

@test "explain: an unknown cell or sample is refused" {
    run gain --cell nosuchcell
    [ "$status" -eq 2 ]
    run gain --sample 4000
    [ "$status" -eq 2 ]
    [[ "$output" == *"--sample"* ]]
}

@test "bound and explain: a window of four is too shallow for twelve tokens back" {
    cat >far.yaml <<'SPEC'
seeds: 1
space: {length: 24}
target: {kind: token_shift, vocab: 2, k: 12}
model: {encoding: toeplitz, mask: {kind: window, past: 4}, width: 16, ffn: 32}
evaluate: {samples: 512}
grid: {model.layers: [3, 4]}
SPEC
    try bound far.yaml
    [ "$status" -eq 0 ]
    has "layers generic floor depth floor    witness verdict" "$output"
    has "0.283 none known too-shallow" "$output"
    run probe explain far.yaml
    has "with 3 layers, of whatever width" "$(tr '\n' ' ' <<<"$output")"
    has "too-shallow." "$output"
}

@test "explain: beyond a field of view, what networks of the cell's depth cannot tell" {
    cat >beyond.yaml <<'SPEC'
seeds: 1
space: {length: 12, channels: 1}
target: {kind: shift, k: 5}
model: {encoding: toeplitz, mask: {kind: window, past: 3}, layers: 2, heads: 1, width: 16, ffn: 32}
evaluate: {samples: 320, images: 4}
SPEC
    probe bound beyond.yaml --format csv >rows.csv
    probe explain beyond.yaml --format json >why.json
    python3 - <<'PY'
import csv, json
why = json.load(open("why.json"))
row, = (r for r in csv.DictReader(open("rows.csv")) if r["subset"] == "beyond")
assert why["subset"] == "beyond" and why["depth"] == 2 and why["verdict"] == row["verdict"] == "too-shallow"
assert why["floor_rms"] == 0 and 0.1 < why["depth_floor_rms"] and abs(why["depth_floor_rms"] - float(row["depth_floor_rms"])) < 1e-9
# Four samples with one member each, at one place; it has one colour after two rounds, and other targets.
places = [s["group"].index(True) for s in why["samples"]]
assert len(places) == why["members"] == 4 and len(set(places)) == 1 and all(sum(s["group"]) == 1 for s in why["samples"])
assert all(len(s["rounds"]) == 3 and s["rounds"][2][places[0]] == why["samples"][0]["rounds"][2][places[0]]
           for s in why["samples"])
targets = [s["targets"][places[0]][0] for s in why["samples"]]
assert len(set(targets)) == 4 and abs(sum(targets) / 4 - why["mean"]) < 1e-9
PY
    run probe explain beyond.yaml
    has "with 2 layers, of whatever width" "$(tr '\n' ' ' <<<"$output")"
    has "depth_floor_rms" "$output"
    has "too-shallow." "$output"
    [[ "$(tr '\n' ' ' <<<"$output")" =~ "each of them sees 1 of colour "[a-z0-9]+" at offset "[-0-9]+", 1 of colour " ]]
    [[ "$(probe explain beyond.yaml --format svg)" == *"every network of 2 layers with"*"depth_floor_rms "*"too-shallow"* ]]
    [[ "$(probe explain beyond.yaml --set model.layers=4)" == *"nothing is proved impossible"* ]]
}

@test "explain: under a causal mask, what samples that share a prefix cannot tell" {
    cat >ahead.yaml <<'SPEC'
seeds: 1
space: {length: 8, channels: 1}
target: reverse
model: {encoding: toeplitz, attention: urpe, mask: causal, width: 8, ffn: 8}
evaluate: {samples: 32}
SPEC
    run probe explain ahead.yaml
    [ "$status" -eq 0 ]
    has "inputs 'lookahead'" "$(tr '\n' ' ' <<<"$output")"
    has "(equal)" "$output"
    has "under the same entries of C" "$(tr '\n' ' ' <<<"$output")"
    has "impossible." "$output"
    [ "$(probe explain ahead.yaml --format json | jq -r .subset)" = lookahead ]
    # The first position sees itself alone, which is one colour, and what C makes of it is what counts.
    run probe explain ahead.yaml --set evaluate.samples=128 --sample 1
    has "(equal)" "$output"
    has "sees 1 of colour a at offset 0. So each sees the same" "$(tr '\n' ' ' <<<"$output")"
    ! grep -q "one sum" <<<"$output"
    run probe explain ahead.yaml --set target.kind=identity
    [[ "$output" == *"nothing is proved impossible"* ]]
}
