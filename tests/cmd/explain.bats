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

@test "explain: an unknown cell, sample or subset is refused, and samples are counted from 1 throughout" {
    run gain --cell nosuchcell
    [ "$status" -eq 2 ]
    run gain --set model.attention=rpe --sample 99999999
    [ "$status" -eq 2 ]
    has "--sample 99999999: a number from 1 to 10000000 was expected" "$output"
    for sample in 3000 999999; do
        run gain --sample "$sample"
        [ "$status" -eq 2 ]
        has "--sample $sample: this set has samples 1 to 1024" "$output"
    done
    run gain --sample 1024
    [ "$status" -eq 0 ]
    run gain --subset shifted
    [ "$status" -eq 2 ]
    has "--subset shifted: all, generic or identical was expected" "$output"
}

@test "explain: the inputs that the verdict of bound names, or those of --subset" {
    cat >near.yaml <<'SPEC'
seeds: 1
space: {length: 8, channels: 1}
target: reverse
model: {encoding: t5, attention: urpe, layers: 2, heads: 1, width: 16, ffn: 32}
evaluate: {samples: 320, images: 4}
SPEC
    for mask in causal '{kind: window, past: 1}' '{kind: window, past: 2, future: 1}'; do
        probe bound near.yaml --set "model.mask=$mask" >table.txt
        probe bound near.yaml --set "model.mask=$mask" --format csv >rows.csv
        for subset in "" all generic lookahead beyond; do
            probe explain near.yaml --set "model.mask=$mask" --format json ${subset:+--subset $subset} \
                >"why-$subset.json" 2>/dev/null || rm "why-$subset.json"
        done
        python3 - <<'PY'
import csv, glob, json, re
rows = {r["subset"]: r for r in csv.DictReader(open("rows.csv"))}
named = re.search(r"(?:on|\[1\] on) (\w+)", open("table.txt").read()).group(1)
assert json.load(open("why-.json"))["subset"] == named, named
assert sorted(glob.glob("why-*.json")) == sorted(["why-.json"] + [f"why-{name}.json" for name in rows])
for path in glob.glob("why-*.json"):
    why = json.load(open(path))
    row = rows[path[4:-5] or named]
    assert (why["subset"], why["verdict"]) == (row["subset"], row["verdict"]), why
    for name in "floor_rms", "floor_rel", "depth_floor_rms":
        assert abs(why[name] - float(row[name])) < 1e-9, (path, name)
    deep = row["verdict"] != "impossible" and float(row["depth_floor_rms"]) > float(row["floor_rms"])
    assert why.get("depth", 0) == (2 if deep else 0), path
PY
    done
}

@test "explain: the group that adds most to the floor, and a sample that adds nothing" {
    gain --set model.attention=rpe --format json >why.json
    for sample in 901 902 903 904 905 907; do
        gain --set model.attention=rpe --sample $sample --format json >"why-$sample.json"
    done
    python3 - <<'PY'
import json
def added(path):
    why = json.load(open(path))
    return why["members"] * why.get("mean_square", 0) if why["members"] > 1 else 0
most = added("why.json")
one = [added(f"why-{k}.json") for k in (901, 902, 903, 904, 905, 907)]
assert all(most > x for x in one) and len(set(one)) > 4, (most, one)
PY
    cat >ahead.yaml <<'SPEC'
seeds: 1
space: {length: 8, channels: 1}
target: reverse
model: {encoding: t5, mask: causal, width: 8, ffn: 8}
evaluate: {samples: 128}
SPEC
    # Position 6 has seen what it must give, the first has not; a generic sample is like no other.
    probe explain ahead.yaml --format json | jq -e '.mean_square > 0.05'
    text=$(probe explain ahead.yaml --sample 96 | tr '\n' ' ')
    has "position 6 of sample 96" "$text"
    has "have one target, so they contribute 0: the floor is of other groups" "$text"
    text=$(gain --set model.attention=rpe --sample 1 | tr '\n' ' ')
    has "No pair (sample, position) of sample 1 has to get the output of another" "$text"
    cat >tokens.yaml <<'SPEC'
seeds: 1
space: {length: 8}
target: {kind: token_reverse, vocab: 3}
model: {encoding: none, attention: rpe, width: 8, ffn: 8}
evaluate: {samples: 64}
SPEC
    probe explain tokens.yaml --format json >why.json
    # What sees the same is not at the same offsets, without an encoding, and that is said.
    text=$(probe explain tokens.yaml --sample 3 | tr '\n' ' ')
    has "sees 2 of colour a at offsets -1 and 6, 3 of colour b at offsets 0, 3 and 4" "$text"
    has "(offsets or distances that this class does not tell apart are one)" "$text"
    python3 - <<'PY'
import json
why = json.load(open("why.json"))
assert why["verdict"] == "impossible" and why["members"] / 3 <= why["commonest_members"] < why["members"], why
members = [(t, y) for s in why["samples"] for t, y, m in zip(s["tokens"], s["targets"], s["group"]) if m]
assert len({t for t, y in members}) == 1, members
PY
}

@test "explain: what a pair is, and what the inputs are" {
    text=$(gain --set model.attention=rpe | tr '\n' ' ')
    has "inputs 'identical': all tokens equal." "$text"
    [ "$(grep -o "(sample, position)" <<<"$text" | wc -l)" -eq 1 ]
    [[ "$text" == *"pairs (sample, position)"*" pairs of the group "*"Over the "*" pairs of the inputs"* ]]
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
    if grep "one sum" <<<"$output"; then false; fi
    run probe explain ahead.yaml --set target.kind=identity
    [[ "$output" == *"nothing is proved impossible"* ]]
}
