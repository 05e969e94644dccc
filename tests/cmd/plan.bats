#!/usr/bin/env bats
# Layers that are not alike, and tokens in front of the sequence, from a spec to certificates and
# predictions.

load help_cmd

@test "plans and prefixes: names in the table, floors that are known, none of either witnessed" {
    probe run tiny.yaml --out out --no-progress --no-claims \
        --set model.encoding=rope --set model.attention=rpe --set model.mask=causal \
        --set model.layers=2 \
        --set 'model.plan=[none, [{encoding: rope}, {encoding: none}]]' \
        --set 'model.prefix=[none, bos]' >table
    grep -q 'rope/none' table
    python3 - out/results.csv <<'PY'
import csv, sys
rows = [r for r in csv.DictReader(open(sys.argv[1])) if r["subset"] == "identical"]
bos = ["prefix=bos" in r["axes"] for r in rows]
assert len(rows) == 4 and sum(bos) == 2, rows
for row, front in zip(rows, bos):
    assert (float(row["floor_rel"]) == 0) == front, row
    assert float(row["error_rel"]) >= float(row["floor_rel"]) - 1e-5, row
PY
}

@test "a plan's certificate names its layers, that of a prefix lists what stands in front" {
    command -v python3 >/dev/null || skip "no python3"
    probe bound tiny.yaml --quiet --no-claims --certificate c --set model.mask=causal \
        --set 'model.plan=[{encoding: rope, attention: rpe}, {encoding: toeplitz, attention: rpe}]' \
        >/dev/null
    for file in c/*/*.txt; do
        [ "$(grep -c '^layer' "$file")" = 2 ]
        python3 "$ROOT/cmd/urpe-probe-check/urpe-probe-check" "$file" >/dev/null
    done
    probe bound tiny.yaml --quiet --no-claims --certificate d --set model.attention=rpe \
        --set model.prefix.kind=bos --set model.prefix.tokens=2 >/dev/null
    grep -qx 'prefix 2' d/*/*.txt
    python3 "$ROOT/cmd/urpe-probe-check/urpe-probe-check" d/*/*.txt >/dev/null
}

@test "a prefix is kept with the weights: predictions of its model, whatever the length" {
    probe run tiny.yaml --out out --quiet --no-claims --set model.attention=rpe \
        --set 'model.prefix={kind: bos, tokens: 2}' >/dev/null
    cell=$(echo out/cells/*)
    for n in 4 2; do
        python3 - "$n" <<'PY'
import json, struct, sys
n = int(sys.argv[1])
data = struct.pack("<%df" % (2 * n), *[0.25 * (k % 4) for k in range(2 * n)])
head = json.dumps({"x": {"dtype": "F32", "shape": [2, n, 1], "data_offsets": [0, len(data)]}}).encode()
head += b" " * (-len(head) % 8)
open("in", "wb").write(struct.pack("<Q", len(head)) + head + data)
PY
        probe predict "$cell" --input in --output out.y
        [ "$(python3 -c 'import json; f = open("out.y", "rb").read(); print(json.loads(f[8:8 + f[0]])["y"]["shape"])')" = "[2, $n, 1]" ]
    done
}

@test "bos stands on a line alone" {
    run probe check tiny.yaml --set model.prefix=bos --set space.kind=grid
    [ "$status" = 2 ]
    [[ $output == *"bos stands on the line before position 1"* ]]
}
