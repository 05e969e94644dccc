#!/usr/bin/env bats
# Echoed specs are (python3-yaml reads 1.1) what readers of YAML 1.1 take them for, too.
load help_cmd.bash

# Every leaf of each spec SPEC must be in its echo, NAME of SPEC in this folder, with its value and type.
compare() {
    /usr/bin/python3 - "$@" <<'PY'
import os, sys
import yaml

wrong = []

def number(x):
    return isinstance(x, (int, float)) and not isinstance(x, bool)

def leaves(x, at=""):
    if isinstance(x, dict):
        for key, value in x.items():
            if not isinstance(key, str):
                wrong.append(f"{at}: the key {key!r} is no text")
            yield from leaves(value, f"{at}.{key}")
    elif isinstance(x, list):
        for k, value in enumerate(x):
            yield from leaves(value, f"{at}[{k}]")
    else:
        yield at, x

def same(want, got, at):
    if isinstance(want, str) and number(got):
        want = float(want)  # 1e-8, which YAML 1.1 takes for a text
    if isinstance(want, dict) and isinstance(got, dict):
        for key, value in want.items():
            if key in got:
                same(value, got[key], f"{at}.{key}")
    elif isinstance(want, str) and isinstance(got, dict) and "kind" in got:
        same(want, got["kind"], at)
    elif number(want) and number(got):
        if float(want) != float(got):
            wrong.append(f"{at}: {got!r}, not {want!r}")
    elif isinstance(want, str) and isinstance(got, str) and got.endswith("/" + want):
        pass  # a file, found from where the spec is
    elif type(want) in (str, bool, int, float) and type(got) is not list and want != got:
        wrong.append(f"{at}: {got!r}, not {want!r}")

for spec in sys.argv[1:]:
    name = os.path.basename(spec)
    given, echo = (yaml.load(open(path), getattr(yaml, "CSafeLoader", yaml.SafeLoader)) for path in (spec, name))
    for at, leaf in leaves(echo, name):
        if isinstance(leaf, str):
            try:
                float(leaf)
                wrong.append(f"{at}: {leaf!r} is a text that looks like a number")
            except ValueError:
                pass
        elif not number(leaf) and not isinstance(leaf, bool):
            wrong.append(f"{at}: {leaf!r} is neither text nor number nor truth")
    same(given, echo, name)
print("\n".join(wrong))
sys.exit(bool(wrong))
PY
}

@test "every experiment (the atlas with URPE_FULL) is a sound spec, and its echo reads the same with PyYAML" {
    local specs=()
    for spec in "$ROOT"/experiments/*.yaml; do
        data=$(sed -n 's/^target:.* file: \(\/[^,}]*\).*/\1/p' "$spec")
        if [ "$data" ] && [ ! -e "$data" ]; then
            echo "# $spec was not checked: there is no $data (make deps-ci)" >&3
            continue
        fi
        [[ $spec != */atlas.yaml || ${URPE_FULL:-} ]] || continue # thousands of kinds: seconds
        probe check "$spec" >"${spec##*/}" || { echo "$spec"; return 1; }
        specs+=("$spec")
    done
    [ "${#specs[@]}" -gt 20 ]
    compare "${specs[@]}"
}

@test "a spec that names files runs as it is printed" {
    mkdir away
    printf '0 1\n1 2\n2 0\n' >away/edges.txt
    printf 'target: {kind: cycles, length: 5}\nseeds: 1\nspace: {kind: graph, file: edges.txt}\n' >away/g.yaml
    probe check away/g.yaml >printed.yaml
    grep "file: \"away/edges.txt\"" printed.yaml
    probe check printed.yaml >again.yaml
    diff <(grep -v '^#\|^name' printed.yaml) <(grep -v '^#\|^name' again.yaml)
}

@test "what is printed of a spec with files runs to the same rows, where it is printed" {
    mkdir -p away here/below
    printf 'to be or not to be %s\n' {1..99} >away/play.txt
    printf '0 1\n1 2\n2 0\n' >away/edges.txt
    printf 'return function(x, n, d) return x end\n' >away/same.lua
    python3 "$ROOT/tests/cmd/help_data.py" away/pairs.safetensors 'x=F32:20x4x1:random()' 'y=F32:20x4x1:random()'
    for task in 'target: {kind: text, file: play.txt}' 'target: {kind: data, file: pairs.safetensors}' \
        'target: {kind: lua, file: same.lua}' "{target: degree, space: {kind: graph, file: edges.txt}}" \
        '{target: {kind: lua, y: "x[i][c] / i"}, space.inputs: {lua: {share: 0.5, x: "r.a * i"}}, model.encoding: {kind: formula, bias: "-a[h] * math.abs(d)", parameters: {a: {start: 1, std: 0.1}}}}'; do
        case $task in "{"*) cases="cases: [$task]" ;; *) cases=$task ;; esac
        printf '%s\n' "$cases" 'seeds: 1' 'train: {steps: 2}' 'evaluate: {samples: 8}' \
            'model: {layers: 1, heads: 1, width: 8, ffn: 8, mask: causal}' >away/s.yaml
        case $task in *graph*) sed -i 's/, mask: causal//' away/s.yaml ;; *) ;; esac
        case $task in *degree* | *text*) ;; *) echo 'space: {length: 4, channels: 1}' >>away/s.yaml ;; esac
        rm -rf one two
        probe run away/s.yaml --quiet --out one >/dev/null
        for name in ../../away/s.yaml "$PWD/away/s.yaml"; do
            (cd here/below && probe check "$name" >printed.yaml 2>messages && probe run printed.yaml --quiet --out ../../two >/dev/null)
            diff <(fields cell length subset error_rms floor_rms accuracy <one/results.csv) \
                <(fields cell length subset error_rms floor_rms accuracy <two/results.csv)
            rm -rf two
        done
    done
}

@test "numbers and words that readers differ on are written so that none does" {
    cat >odd.yaml <<'Y'
name: "no"
seeds: [3]
target: gain
train: {steps: 2, lr: 1.0e-05, optimizer: {kind: adam, epsilon: 2.0e-20}}
grid:
  train.lr: [1e-5, 2e-3, .5]
  space.length: [0x10, 010, 12]
claims:
  - {where: {train.lr: 1e-5}, expect: {error_rel: "< 1"}}
Y
    probe check odd.yaml >echo.yaml
    cat echo.yaml
    /usr/bin/python3 - <<'PY'
import yaml
x = yaml.safe_load(open("echo.yaml"))
assert x["name"] == "no", x["name"]
assert x["train"]["optimizer"]["epsilon"] == 2e-20
assert x["grid"]["train.lr"] == [1e-5, 2e-3, .5], x["grid"]
assert x["grid"]["space.length"] == [16, 10, 12], x["grid"]
PY
    probe check echo.yaml >again.yaml
    sed -i "/^#/d" echo.yaml again.yaml
    diff echo.yaml again.yaml
}
