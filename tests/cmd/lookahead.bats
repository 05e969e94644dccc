# Subset lookahead: its rows, what trained networks do there, and the table's verdict.
load help_cmd

spec() {
    cat >ahead.yaml <<'SPEC'
seeds: 1
space: {length: 8, channels: 1}
target: reverse
model: {encoding: toeplitz, mask: causal, layers: 2, heads: 1, width: 16, ffn: 32}
train: {steps: 300, batch: 16, lr: 0.01}
evaluate: {samples: 640, images: 64, every: 300}
cases:
  - {target: reverse}
  - {target: mean}
  - {target: {kind: token_reverse, vocab: 4}}
claims:
  - where: {subset: lookahead}
    expect: {verdict: impossible}
  - {on: bound, where: {subset: lookahead}, expect: {verdict: impossible}}
SPEC
}

@test "lookahead: trained networks respect the floors, and the table says impossible" {
    spec
    try run ahead.yaml --csv rows.csv
    [ "$status" -eq 0 ]
    has "lookahead" "$output"
    has "impossible" "$output"
    python3 - <<'PY'
import csv
rows = [r for r in csv.DictReader(open("rows.csv")) if r["subset"] == "lookahead"]
assert len(rows) == 3, rows
for r in rows:
    if r["error_rms"]:
        leak = float(r["leak_rms"])
        assert leak < 1e-5 and float(r["error_rms"]) >= float(r["floor_rms"]) - leak, r
    else:
        assert 0.4 < float(r["accuracy"]) <= float(r["accuracy_ceiling"]) < 0.8, r
PY
}

@test "lookahead: bound has the rows, images: 0 has none, and old cells are whole without them" {
    spec
    try bound ahead.yaml
    [ "$status" -eq 0 ]
    has "lookahead floor" "$output"
    probe bound ahead.yaml --no-claims --format csv --set evaluate.images=0 >none.csv
    if grep lookahead none.csv; then false; fi
    probe run ahead.yaml --quiet --set target=mean --set train.steps=2 --set evaluate.every=2 --no-claims
    row=$(echo results/ahead/cells/*/row.csv)
    sed -i '/,lookahead,/d' "$row"
    try run ahead.yaml --set target=mean --set train.steps=2 --set evaluate.every=2 --no-claims
    [ "$status" -eq 0 ]
    if grep lookahead "$row"; then false; fi
}

@test "lookahead: certificates of its rows are accepted" {
    spec
    probe bound ahead.yaml --no-claims --quiet --set evaluate.samples=64 --set evaluate.images=8 --certificate proof
    run "$ROOT/cmd/urpe-probe-check/urpe-probe-check" proof/*/*
    [ "$status" -eq 0 ]
    [ "$(ls proof/*/8-lookahead.txt* | wc -l)" -eq 3 ]
    has "8-lookahead" "$output"
}

@test "beyond: networks that are too shallow stay above their floor, and the table says of which inputs" {
    cat >far.yaml <<'SPEC'
seeds: 1
space: {length: 12, channels: 1}
target: {kind: shift, k: 5}
model: {encoding: toeplitz, mask: {kind: window, past: 3}, heads: 1, width: 16, ffn: 32}
train: {steps: 100, batch: 16, lr: 0.01}
evaluate: {samples: 320, every: 100}
grid: {model.layers: [1, 2, 3]}
claims:
  - where: {layers: [1, 2], subset: beyond}
    expect: {verdict: too-shallow}
SPEC
    try run far.yaml --csv rows.csv
    [ "$status" -eq 0 ]
    has "too-shallow" "$output"
    has "beyond" "$output"
    python3 - <<'PY'
import csv
rows = [r for r in csv.DictReader(open("rows.csv")) if r["subset"] == "beyond"]
assert len(rows) == 3, rows
for r in rows:
    assert float(r["error_rms"]) >= float(r["depth_floor_rms"]) - 1e-5, r
assert [float(r["depth_floor_rms"]) > 0.1 for r in rows] == [True, True, False]
PY
}

@test "beyond: the table has the floor that its verdict is about, and says of which inputs it is" {
    cat >near.yaml <<'SPEC'
seeds: 1
space: {length: 8, channels: 1}
target: reverse
model: {encoding: t5, layers: 2, heads: 1, width: 16, ffn: 32}
train: {steps: 2, batch: 4}
evaluate: {samples: 320, images: 4, every: 2}
SPEC
    for mask in causal '{kind: window, past: 1}' '{kind: window, past: 1, future: 1}' \
        '{kind: window, past: 2, future: 1}'; do
        for command in bound "run --out results"; do
            COLUMNS=120 probe $command near.yaml --set "model.mask=$mask" >table.txt
            probe bound near.yaml --set "model.mask=$mask" --format csv >rows.csv
            python3 - $command <<'PY'
import csv, re, sys
rows = {r["subset"]: r for r in csv.DictReader(open("rows.csv"))}
text = open("table.txt").read()
row = rows[re.search(r"(?:on|\[1\] on) (\w+)", text).group(1)]
deep = row["verdict"] == "too-shallow"
floor = float(row["depth_floor_rel" if deep else "floor_rel"])
assert floor > 0.1 and (row["subset"] == "beyond" or "lookahead" in text), row
header = next(line for line in text.split("\n") if "verdict" in line and "floor" in line)
# Where nothing was trained each floor is named; else it stands behind the error of these inputs.
column = f"{row['subset']} depth floor" if deep else f"{row['subset']} floor" if sys.argv[1] == "bound" else \
    f"{row['subset']} "
assert column in header, (column, text)
figures = [float(x) for x in re.findall(r"\d\.\d{3}", text[text.index(header):])]
assert any(abs(x - floor) < 6e-4 for x in figures), (floor, text)
PY
        done
    done
}
