# Pages of experiments: what is renewed in them, and that each has what it shows.
load help_cmd.bash

@test "a page gets its figure, its table and its summary, and keeps what was written by hand" {
    command -v gnuplot >/dev/null || skip "gnuplot is not installed"
    mkdir experiments
    cp tiny.yaml experiments/tiny.yaml
    printf '# Tiny\n\n```\na command\n```\n\n<!-- table -->\n```\nold\n```\nbehind\n' \
        >experiments/tiny.md
    "$ROOT/experiments/page.sh" "$URPE_PROBE" tiny 2>/dev/null
    head -7 experiments/tiny.md | cmp - <(printf '# Tiny\n\n```\na command\n```\n\n<!-- table -->\n')
    [ "$(tail -1 experiments/tiny.md)" = behind ]
    if grep -qx old experiments/tiny.md; then false; fi
    sed -n '/<!-- table -->/,$p' experiments/tiny.md | sed '1,2d;/^```$/,$d' |
        cmp - results/tiny/table.txt
    grep -q '^held ' experiments/tiny.md
    cmp experiments/tiny.svg results/tiny/figures/floor-tiny.svg
    [ "$(cut -d, -f1 experiments/tiny.csv | sort -u | xargs)" = "experiment tiny" ]
    cp experiments/tiny.md before
    "$ROOT/experiments/page.sh" "$URPE_PROBE" tiny 2>/dev/null
    cmp before experiments/tiny.md
}

@test "a figure is drawn again from its summary alone, without training" {
    command -v gnuplot >/dev/null || skip "gnuplot is not installed"
    command -v python3 >/dev/null || skip "python3 reads the summary, and is not installed"
    mkdir experiments
    sed 's/^seeds: 1/seeds: 2/; s/^grid:/figures: [pairs]\n&/' tiny.yaml >experiments/tiny.yaml
    printf '<!-- table -->\n```\n```\n' >experiments/tiny.md
    "$ROOT/experiments/page.sh" "$URPE_PROBE" tiny 2>/dev/null
    mkdir before
    cp experiments/tiny.* before
    mv experiments/tiny.svg results/tiny before # nothing else is looked at
    "$ROOT/experiments/page.sh" --redraw "$URPE_PROBE" tiny 2>/dev/null
    for file in tiny.md tiny.csv; do cmp "before/$file" "experiments/$file"; done
    # A summary has nine digits: numbers in the picture are the same to a tenth of a pixel.
    python3 - before/tiny.svg experiments/tiny.svg <<'PY'
import re, sys
old, new = (open(path).read() for path in sys.argv[1:])
number = r"-?\d+\.\d+"
assert re.sub(number, "", old) == re.sub(number, "", new)
a, b = ([float(x) for x in re.findall(number, text)] for text in (old, new))
assert len(a) > 100 and max(abs(x - y) for x, y in zip(a, b)) < 0.1
PY
}

@test "a claim that does not hold is on the page, and stops" {
    command -v gnuplot >/dev/null || skip "gnuplot is not installed"
    mkdir experiments
    sed 's/gap_rel: ">= -1e-5"/gap_rel: "<= -0.5"/' tiny.yaml >experiments/tiny.yaml
    printf '<!-- table -->\n```\n```\n' >experiments/tiny.md
    status=0
    "$ROOT/experiments/page.sh" "$URPE_PROBE" tiny 2>/dev/null || status=$?
    [ "$status" = 1 ]
    grep -q '^NOT HELD ' experiments/tiny.md
}

@test "every page has its spec, its figure, its summary, and a picture and a sentence in the gallery" {
    cd "$ROOT"
    for page in experiments/*.md; do
        name=$(basename "$page" .md)
        [ "$name" != README ] || continue
        if [ ! -e "experiments/$name.yaml" ]; then # about no spec of its own
            grep -qF "($name.md)" experiments/README.md
            continue
        fi
        for kind in yaml svg csv; do [ -s "experiments/$name.$kind" ]; done
        grep -q "($name.svg)" "$page"
        grep -q "($name.csv)" "$page"
        if grep -q '^<!-- table -->' "$page"; then grep -q "^$name: .* beside its" "$page"; fi
        grep -q "<img src=\"$name.svg\".*($name.md).*: [A-Z].*[.] |\$" experiments/README.md
    done
}
