#!/usr/bin/env bats
# Formulas in Lua beside the built-in encodings that they write out: trained alike, to rounding.
load help_cmd.bash

@test "formulas that write built-in encodings out train to their weights, with their floors" {
    command -v python3 >/dev/null || skip "python3 compares the weights, and is not installed"
    cat >pairs.yaml <<'SPEC'
name: pairs
space: {length: 8, channels: 2, inputs: {palindrome: 0.5}}
target: {kind: lua, y: "x[i][c] * math.sin(i)"}
model: {attention: rpe, layers: 2, heads: 2, width: 16, ffn: 16}
train: {steps: 12, batch: 8, lr: 0.01}
evaluate: {samples: 32, networks: 0, witness: never}
grid:
  model.encoding:
    - alibi
    - {kind: formula, bias: "-2^(-4*h) * math.abs(d)", parameters: {}}
    - kerple-log
    - {kind: formula, bias: "-math.max(p[h], .01) * math.log(1 + math.max(a[h], .01) * math.abs(d))", parameters: {a: {low: 0, high: 1}, p: {low: 0, high: 2}}}
    - kerple-power
    - {kind: formula, bias: "-math.max(a[h], .01) * math.abs(d) ^ math.min(math.max(p[h], .01), 2)", parameters: {a: {low: 0, high: 1}, p: {low: 0, high: 2}}}
    - sandwich
    - {kind: formula, bias: "local s = -4 for k = 1, 4 do s = s + math.cos(d / 10000^(2*k/8)) end return s / (8*h/H)", parameters: {}}
    - toeplitz
    - {kind: formula, bias: "bias[h][d + n]", parameters: {bias: {size: 15, std: 0.02, table: true}}}
    - t5
    - {kind: formula, bias: "local b, m = d > 0 and 17 or 1, math.abs(d) return bias[h][b + m]", parameters: {bias: {size: 32, std: 0.25, table: true}}}
    - sinusoidal
    - {kind: formula, input: "local a = (i - 1) / 10000^(2 * ((c - 1) // 2) / C) return c % 2 == 1 and math.sin(a) or math.cos(a)", parameters: {}}
SPEC
    cat >graphs.yaml <<'SPEC'
name: graphs
space: {kind: graph, nodes: 8, max_distance: 3, channels: 2, inputs: {identical: 0.5}}
target: neighbour_sum
model: {attention: rpe, layers: 2, heads: 2, width: 16, ffn: 16}
train: {steps: 12, batch: 8, lr: 0.01}
evaluate: {samples: 32, networks: 0, witness: never}
grid:
  model.encoding:
    - toeplitz
    - {kind: formula, bias: "bias[h][d + 1]", parameters: {bias: {size: 5, std: 0.02, table: true}}}
SPEC
    probe run pairs.yaml --out out --quiet
    probe run graphs.yaml --out graphs --quiet
    for pairs in 'out 7' 'graphs 1'; do python3 - $pairs <<'PYTHON'; done
import csv, glob, json, struct, sys

def weights(cell):
    data = open(glob.glob(f"{sys.argv[1]}/cells/{cell}/*.safetensors")[0], "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + size])
    head.pop("__metadata__", None)
    out = {}
    for name, t in head.items():
        a, b = (8 + size + x for x in t["data_offsets"])
        out[name] = struct.unpack("<%df" % ((b - a) // 4), data[a:b])
    return out

rows = [r for r in csv.DictReader(open(f"{sys.argv[1]}/results.csv")) if r["subset"] == "all"]
cells = {r["cell"]: r for r in rows}
built = {r["encoding"]: r for r in rows if r["encoding"] != "formula"}
own = [r for r in rows if r["encoding"] == "formula"]
assert len(built) == len(own) == int(sys.argv[2]), (len(built), len(own))
for name, r in built.items():
    mine = weights(r["cell"])
    twins = [o for o in own if all(len(weights(o["cell"]).get(k, ())) == len(v) for k, v in mine.items())]
    best = min(max(abs(x - y) for k, v in mine.items() for x, y in zip(v, weights(o["cell"])[k])) for o in twins)
    assert best < 2e-5, (name, best)
    errors = [float(o["error_rel"]) for o in twins]
    assert min(abs(e / float(r["error_rel"]) - 1) for e in errors) < 1e-4, (name, r["error_rel"], errors)
    floors = [o["floor_rel"] for o in twins if max(
        abs(x - y) for k, v in mine.items() for x, y in zip(v, weights(o["cell"])[k])) == best]
    assert r["floor_rel"] in floors, (name, r["floor_rel"], floors)
    print(name, best, r["floor_rel"])
PYTHON
}

@test "a declared relation that is false is refused with a counterexample, and what rests on one says so" {
    printf '%s\n' 'name: own' 'space: {length: 6, channels: 1}' 'target: position' \
        'model: {encoding: {kind: formula, bias: "d > 0 and a[h] * d or -(a[h] * d)", parameters: {a: 1}, relation: "math.abs(d)"}, attention: rpe, layers: 1, heads: 1, width: 4, ffn: 4}' \
        'evaluate: {samples: 8, networks: 0}' >own.yaml
    try bound own.yaml --out floors
    [ "$status" = 0 ]
    has 'warning: model.encoding.relation: floors rest on math.abs(d)' "$errors"
    head -n 1 floors/bound.csv | grep -q ',declared,'
    grep -q 'model.encoding.relation=math.abs(d),$' floors/bound.csv
    try check own.yaml --set 'model.encoding.bias=a[h] * d'
    [ "$status" = 2 ]
    has 'relation:1: is 1 at d = -1, h = 1 and at d = 1, h = 1, but the formula is -1 and 1' "$errors"
}

@test "a formula that reads n is refused where samples of a batch have several lengths" {
    printf '%s\n' 'name: own' 'space: {length: 6, channels: 1}' 'target: mean' \
        'model: {encoding: {kind: formula, bias: "a[h] * d / n", parameters: {a: 1}}, layers: 1, heads: 1, width: 4, ffn: 4}' \
        'train: {steps: 2, lengths: {mixed: [3, 6]}}' >own.yaml
    try check own.yaml
    [ "$status" = 2 ]
    has 'model.encoding: a formula reads n' "$errors"
    probe check own.yaml --set 'model.encoding.bias=a[h] * d' >/dev/null
}

@test "certificates of an input, of a declared relation and of C by places are valid, the second on its word" {
    command -v python3 >/dev/null || skip "no python3"
    check=$BATS_TEST_DIRNAME/../../cmd/urpe-probe-check/urpe-probe-check
    printf '%s\n' 'name: own' 'space: {length: 6, channels: 1, inputs: {identical: 0.5, palindrome: 0.5}}' 'target: position' \
        'model: {attention: rpe, layers: 1, heads: 2, width: 4, ffn: 4}' \
        'evaluate: {samples: 8, networks: 0, lengths: [6, 4]}' >own.yaml
    judge() { # WORDS KEY=VALUE...: what the checker says of all that bound writes
        rm -rf certificates
        probe bound own.yaml --certificate certificates --quiet "${@:2}" >/dev/null
        try_check=$("$check" certificates/*/*)
        [ "$(grep -c ': valid' <<<"$try_check")" -gt 3 ]
        [ "$(grep -c "$1" <<<"$try_check")" = "$(grep -c ': valid' <<<"$try_check")" ]
    }
    judge '[0-9] pairs alone' --set 'model.encoding={kind: formula, input: "math.sin(i * w[c]) / n", parameters: {w: {size: 4, std: 1}}}'
    judge 'if encoding.relation=math.abs(d) is true' --set \
        'model.encoding={kind: formula, bias: "d > 0 and a[h] * d or -(a[h] * d)", parameters: {a: 1}, relation: "math.abs(d)"}'
    judge 'if c.relation=math.abs(d) is true' --set model.attention=urpe --set model.encoding=alibi --set \
        'model.c={kind: formula, factor: "d > 0 and a[h] * d or -(a[h] * d)", parameters: {a: 1}, relation: "math.abs(d)"}'
    judge '[0-9] pairs alone' --set model.attention=urpe --set model.encoding=none --set \
        'model.c={kind: formula, factor: "a[h] * (i - 3.5)^2 + (j - 3.5)^2", parameters: {a: 1}}'
}

@test "a formula that does not read n means the same at every length, and has the floors of all lengths together" {
    local bias floor
    printf '%s\n' 'name: own' 'space: {length: 8, channels: 1, inputs: {identical: 0.5}}' 'target: {kind: lua, y: "n / 64"}' \
        'model: {encoding: {kind: formula, bias: "b[h] * d", parameters: {b: {std: 0.1}}}, attention: urpe, mask: causal, layers: 1, heads: 2, width: 8, ffn: 16}' \
        'evaluate: {samples: 8, lengths: [16], networks: 0}' >own.yaml
    : >floors
    for bias in toeplitz 'b[h] * d' 'b[h] * (i - j)' 'b[h] * math.min(i, 3)' 'b[h] * d / n' 'b[h] * (i - j) / n'; do
        local set="model.encoding.bias=$bias"
        [ "$bias" != toeplitz ] || set=model.encoding=toeplitz
        floor=$("$URPE_PROBE" bound own.yaml --set "$set" --format csv | fields length subset floor_rms |
            sed -n 's/^all,all,//p')
        echo "$bias $floor" >>floors
    done
    # Half of the outputs are 1/8, half are 1/4 over two lengths: of rms sqrt(2)/32 from their mean.
    cat floors
    [ "$(grep -c ' 0.0510310363$' floors)" = 4 ]
    [ "$(grep '/ n' floors | grep -c ' 0.0180421959$')" = 2 ]
}

@test "C by places that goes by their offset alone trains as C of the offset does" {
    printf '%s\n' 'name: own' 'space: {length: 6, channels: 1}' 'target: prefix_sum' 'seeds: 1' \
        'model: {encoding: alibi, attention: urpe, layers: 1, heads: 2, width: 8, ffn: 8}' \
        'train: {steps: 9, lr: 0.01}' 'evaluate: {samples: 16, networks: 0, witness: never}' >own.yaml
    for factor in 'math.exp(-a[h] * (i - j) / 4)' 'math.exp(a[h] * d / 4)'; do
        probe run own.yaml --quiet --out out --set "model.c={kind: formula, factor: \"$factor\", parameters: {a: 1}}" >/dev/null
        fields error_rel <out/results.csv | head -n 1
        rm -r out
    done | awk '{x[NR] = $1} END {exit !(NR == 2 && x[1] > 0 && (x[1] / x[2] - 1) ^ 2 < 1e-10)}'
}
