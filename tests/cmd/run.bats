#!/usr/bin/env bats
# Runs from end to end, small ones.
load help_cmd.bash

# Columns that may differ between two runs.
steady() { python3 -c '
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
for row in rows:
    for name in ("seconds", "tokens_per_second", "peak_mib", "threads"): row[name] = ""
    print(sorted(row.items()))' "$1"; }

@test "run writes results, prints a table, judges claims" {
    LC_ALL=C try run tiny.yaml # no curves in the table
    [ "$status" = 0 ]
    for file in results summary curves positions tables; do [ -s results/tiny/$file.csv ]; done
    [ "$(wc -l <results/tiny/results.csv)" = 7 ]
    has "target position, encoding toeplitz" "$output"
    has "held" "$output"
    [ "$(echo "$output" | awk 'length > 82' | wc -l)" = 0 ] # bytes: the sign of the interval has two
}

@test "a finished spec is not trained again; --force trains it" {
    try run tiny.yaml
    has "2 trained" "$errors"
    try run tiny.yaml
    [ "$status" = 0 ]
    has "0 trained, 2 finished before" "$errors"
    try run tiny.yaml --force
    has "2 trained" "$errors"
}

@test "code that fails on a later sample fails its cell, which is named once" {
    printf '%s\n' 'target: {kind: lua, y: "x[i][c] < 0.998 and 1 or nil"}' 'train: {steps: 9}' \
        'space: {length: 4, channels: 1}' 'model: {heads: 1, width: 4}' >late.yaml
    try run late.yaml
    [ "$status" = 1 ]
    has "target.y:1: y[" "$errors"
    [ "$(grep -o 'cell [0-9a-f]\{16\}' <<<"$errors" | wc -l)" = 1 ]
}

@test "a claim that is turned around exits 1 and says which cell, by how much" {
    try run tiny.yaml
    sed -i 's/gap_rel: ">= -1e-5"/gap_rel: "<= -0.5"/' tiny.yaml
    try run tiny.yaml
    [ "$status" = 1 ]
    has "NOT HELD" "$output"
    has "model.attention=rpe" "$output"
    has "missed by" "$(echo "$output" | tr -s ' \n' '  ')"
    try run tiny.yaml --no-claims
    [ "$status" = 0 ]
    try run tiny.yaml --quiet
    [ "$status" = 1 ]
    [ -z "$output" ]
    has "NOT HELD" "$errors"
}

@test "--quiet prints nothing when all is well" {
    try run tiny.yaml --quiet
    [ "$status" = 0 ]
    [ -z "$output" ]
    [ -z "$errors" ]
}

@test "--csv from several shells at once: every row once" {
    for encoding in toeplitz t5 alibi none; do
        probe run tiny.yaml --set model.encoding=$encoding --set seeds=2 --no-claims --quiet \
            --csv all.csv --jobs 1 &
    done
    wait
    [ "$(wc -l <all.csv)" = $((1 + 4 * 2 * 2 * 3)) ]
    [ "$(cut -d, -f2,8,9 all.csv | sort | uniq -d | wc -l)" = 0 ]
    [ "$(awk -F, '{print NF}' all.csv | sort -u | wc -l)" = 1 ]
}

@test "--csv: what --set changed between calls is in the rows" {
    for rate in 0.001 0.02; do
        probe run tiny.yaml --set train.lr=$rate --no-claims --quiet --csv all.csv
    done
    python3 - <<'PY'
import csv
rows = list(csv.DictReader(open("all.csv")))
settings = [dict(s.split("=", 1) for s in r["settings"].split("; ")) for r in rows]
assert {s["train.lr"] for s in settings} == {"0.001", "0.02"}, settings
assert all(s["space.length"] == "4" and "model.width" not in s for s in settings), settings
PY
}

@test "--csv: a cell that failed and then succeeds leaves no failed row" {
    probe run tiny.yaml --no-claims --quiet --csv all.csv
    cell=$(ls results/tiny/cells | head -1)
    python3 - "$cell" <<'PY'
import csv, sys
rows = list(csv.reader(open("all.csv")))
at = {name: k for k, name in enumerate(rows[0])}
kept = [r for r in rows if r[at["cell"]] != sys.argv[1]]
failed = next(r for r in rows if r[at["cell"]] == sys.argv[1] and r[at["subset"]] == "all")
failed[at["status"]] = "failed"
csv.writer(open("all.csv", "w"), lineterminator="\n").writerows(kept + [failed])
PY
    probe run tiny.yaml --no-claims --quiet --csv all.csv
    [ "$(grep -c failed all.csv)" = 0 ]
    [ "$(wc -l <all.csv)" = 7 ]
}

@test "specs of one name in one folder are told apart everywhere" {
    probe run tiny.yaml --no-claims --quiet
    probe run tiny.yaml --no-claims --quiet --set train.steps=5
    try report results/tiny --no-claims
    [ "$status" = 0 ]
    has "steps 5" "$(tr '\n' ' ' <<<"$output")"
    [ "$(grep -o "train.steps=[35]" results/tiny/summary.csv | sort -u | wc -l)" = 2 ]
    for steps in 3 5; do
        has "train.steps=$steps, 2 of 2 cells finished" "$(cat results/tiny/report.html)"
        has "toeplitz steps=$steps</th>" "$(cat results/tiny/report.html)"
    done
}

@test "the README's shell loop: one order of rows everywhere, and whose table, claims and page" {
    for e in toeplitz t5 alibi none; do
        probe run tiny.yaml --set model.encoding=$e --csv all.csv --jobs 1 --quiet --no-claims
    done
    cmp <(cut -d, -f2,8,9 all.csv) <(cut -d, -f2,8,9 results/tiny/results.csv)
    [ "$(awk -F, '$9 == "all" {print $5 "-" $6}' all.csv | paste -sd' ')" = \
        "alibi-rpe none-rpe t5-rpe toeplitz-rpe alibi-urpe none-urpe t5-urpe toeplitz-urpe" ]
    try report results/tiny
    [ "$status" = 0 ]
    [ "$(grep -o '^tiny, model.encoding=[a-z0-9]*:' <<<"$output" | paste -sd' ')" = \
        "$(for _ in table claims; do for e in alibi none t5 toeplitz; do
            echo "tiny, model.encoding=$e:"; done; done | paste -sd' ')" ]
    [ "$(grep -o 'Claims of [^<]*' results/tiny/report.html | paste -sd' ')" = \
        "$(for e in alibi none t5 toeplitz; do echo "Claims of model.encoding=$e"; done | paste -sd' ')" ]
    # Those that differ in their seeds alone are told apart by these.
    probe run tiny.yaml --set seeds=[7] --out seeds --quiet --no-claims
    probe run tiny.yaml --set seeds=4 --out seeds --quiet --no-claims
    try run tiny.yaml --set seeds=[1,5] --out seeds
    [ "$(grep -o '^tiny, [^:]*' <<<"$output" | sort -u | paste -sd' ')" = \
        "tiny, seeds 1,5" ]
    try report seeds
    [ "$(grep -o '^tiny, [^:]*' <<<"$output" | sort -u | paste -sd' ')" = \
        "tiny, seed 7 tiny, seeds 0..3 tiny, seeds 1,5" ]
    # Two that vary the same key over other values are told apart by their hashes.
    probe run tiny.yaml --set train.steps=[1,2] --out two --quiet --no-claims
    try run tiny.yaml --set train.steps=[1,3] --out two
    [ "$(grep -c '^tiny, spec [0-9a-f]\{12\}:' <<<"$output")" = 2 ]
}

@test "cells of an earlier version of the spec are counted; a spec on standard input says where it goes" {
    probe run tiny.yaml --no-claims --quiet
    try run tiny.yaml --no-claims
    if grep older <<<"$errors"; then false; fi
    sed -i 's/steps: 3/steps: 5/' tiny.yaml
    try run tiny.yaml --no-claims
    has "2 older cells are there too" "$errors"
    grep -v '^name' tiny.yaml >nameless.yaml
    try run - --no-claims <nameless.yaml
    has "its results go to results/experiment" "$errors"
}

@test "--csv with another header is refused before training" {
    echo a,b >all.csv
    try run tiny.yaml --csv all.csv
    [ "$status" = 2 ]
    has "all.csv" "$errors"
    [ ! -e results ]
    try run tiny.yaml --csv no/all.csv
    [ "$status" = 3 ]
    has "--csv no/all.csv: cannot be written" "$errors"
    [ ! -e results ]
}

@test "shards meet in one folder, and report judges the claims" {
    try run tiny.yaml --shard 0/2
    [ "$status" = 0 ]
    case "$output" in *held*) false ;; esac
    try report results/tiny
    [ "$status" = 0 ]
    has "1 of 2 cells finished" "$errors"
    probe run tiny.yaml --shard 1/2 --quiet
    try report results/tiny
    [ "$status" = 0 ]
    has "held" "$output"
}

@test "report merges folders, names what it skips, and draws" {
    probe run tiny.yaml --out a --set model.attention=rpe --quiet
    probe run tiny.yaml --out b --set model.attention=urpe --quiet --no-claims
    echo mine >a/cells/notes
    try report a b --out c --no-claims
    [ "$status" = 0 ]
    has "skipped a/cells/notes" "$errors"
    [ "$(wc -l <c/results.csv)" = 7 ]
    if command -v gnuplot >/dev/null; then
        [ -s c/figures/floor-tiny.svg ]
        [ ! -e c/figures/floor-tiny.gp ]
        try report a b --out c --no-claims --gnuplot
        [ -s c/figures/floor-tiny.gp ]
    fi
    [ "$(probe report c --format csv 2>/dev/null | wc -l)" = 0 ] # c has tables, but no cells
    [ "$(probe report a b --out d --no-claims --format csv 2>/dev/null)" = "$(cat d/results.csv)" ]
    try report nowhere
    [ "$status" = 3 ]
    mkdir empty
    try report empty
    [ "$status" = 3 ]
    [ -z "$(ls -A empty)" ]
    mkdir all
    mv a b all
    try report all
    [ "$status" = 3 ]
    has "no finished cell in it, but in the folders below; expected urpe-probe report all/a all/b" "$errors"
    [ "$(ls all)" = "$(printf 'a\nb')" ]
}

@test "a spec without claims is not said to wait for them" {
    sed -i '/^claims:/,$d' tiny.yaml
    probe run tiny.yaml --shard 1/2 --quiet
    try report results/tiny
    has "1 of 2 cells finished" "$errors"
    [[ $errors != *claims* ]]
}

@test "a file where a folder is meant is called so" {
    is_file() { # EXPECTED ARGUMENTS
        local expected=$1
        shift
        try "$@"
        [ "$status" = 3 ]
        has "tiny.yaml: is a file; $expected" "$errors"
    }
    is_file "a results folder was expected" report tiny.yaml
    is_file "a cell's folder, one under cells/, was expected" evaluate tiny.yaml
    is_file "a cell's folder, one under cells/, was expected" predict tiny.yaml --input x --output y
    is_file "a folder was expected" run tiny.yaml --out tiny.yaml
    is_file "a folder was expected" samples tiny.yaml --set model.attention=rpe --out tiny.yaml
    is_file "a folder was expected" bound tiny.yaml --certificate tiny.yaml
    is_file "a folder of predictions was expected" card tiny.yaml --battery tiny.yaml --set model.attention=rpe \
        --predictions tiny.yaml
}

@test "report runs nothing that a stranger's folder says, and draws what it can" {
    command -v gnuplot >/dev/null || skip "gnuplot is not installed"
    probe run tiny.yaml --out '|touch PWNED;#' --quiet
    try report '|touch PWNED;#'
    [ "$status" = 0 ]
    [ -s '|touch PWNED;#/figures/floor-tiny.svg' ]
    for table in '|touch PWNED;#'/cells/*/table.csv; do
        sed -i "2s/^\"\",0,/\"\",0' . system('touch PWNED') . ',/" "$table"
    done
    try report '|touch PWNED;#' --gnuplot
    [ "$status" = 3 ]
    has "figure tables-tiny: " "$errors"
    has "not all figures could be drawn" "$errors"
    has "figure tables-tiny: " "$(cat '|touch PWNED;#/report.html')"
    [ -s '|touch PWNED;#/figures/curves-tiny.svg' ]
    has "toeplitz" "$output"
    for script in '|touch PWNED;#'/figures/*.gp; do gnuplot -c "./$script" drawn.svg; done
    [ ! -e PWNED ]
}

@test "without gnuplot: tables and one line" {
    probe run tiny.yaml --quiet
    mkdir bin
    status=0
    PATH=$HERE/bin "$URPE_PROBE" report results/tiny >out 2>err || status=$?
    [ "$status" = 0 ]
    [ "$(grep -c gnuplot err)" = 1 ]
    has "gnuplot is not installed" "$(cat err)"
    [ "$(tail -1 err)" = "the page: results/tiny/report.html" ]
    [ "$(wc -l <err)" = 2 ]
    [ -s out ]
    has "gnuplot is not installed" "$(cat results/tiny/report.html)"
    PATH=$HERE/bin "$URPE_PROBE" report results/tiny --quiet >out 2>err
    [ ! -s err ] && [ ! -s out ]
}

@test "a locale with decimal commas changes nothing" {
    german=(env "LOCPATH=$HERE" LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8)
    localedef -i de_DE -f UTF-8 ./de_DE.UTF-8 2>/dev/null || [ -d de_DE.UTF-8 ] || skip "no localedef" # it exits 1 on warnings
    [ "$("${german[@]}" locale decimal_point)" = , ] || skip "a locale with commas cannot be made"
    probe run tiny.yaml --out plain --quiet
    "${german[@]}" "$URPE_PROBE" run tiny.yaml --out comma --quiet
    [ "$(steady plain/results.csv)" = "$(steady comma/results.csv)" ]
}

@test "Ctrl-C: exit 130, a line that says how to resume, and the same bytes in the end" {
    command -v python3 >/dev/null || skip "python3 compares the tables, and is not installed"
    set -- --set train.steps=20000 --no-claims --no-progress
    # A shell without job control starts background jobs deaf to SIGINT, so python starts it.
    python3 - "$URPE_PROBE" "$@" <<'PY'
import glob, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
p = subprocess.Popen([sys.argv[1], "run", "tiny.yaml", "--out", "stopped", *sys.argv[2:]],
                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
while not glob.glob("stopped/cells/*/spec.yaml") and p.poll() is None:
    time.sleep(0.05)
time.sleep(0.2)
p.send_signal(signal.SIGINT)
said = p.communicate()[1]
assert p.returncode == 130, (p.returncode, said)
assert "interrupted" in said and "stopped" in said, said
PY
    try run tiny.yaml --out stopped "$@"
    has " resumed)" "$errors"
    probe run tiny.yaml --out straight --quiet "$@"
    [ "$(steady stopped/results.csv)" = "$(steady straight/results.csv)" ]
}

@test "SIGTERM: exit 143" {
    "$URPE_PROBE" run tiny.yaml --set train.steps=400000 --no-claims 2>err &
    until [ -n "$(ls results/tiny/cells/*/spec.yaml 2>/dev/null)" ]; do sleep 0.05; done
    kill -TERM $!
    status=0
    wait $! || status=$?
    [ "$status" = 143 ]
    has "interrupted" "$(cat err)"
}
