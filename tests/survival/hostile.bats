# Results folders that come from a stranger: looking at them and adding to them harms nothing outside.
load help

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    small_spec small.yaml 5
    "$PROBE" run small.yaml --out theirs --set seeds=[0] >/dev/null 2>&1
    mkdir mine
    echo precious >mine/file
}

# Nothing under mine/ is changed or new.
unharmed() { [ "$(cat mine/file)" = precious ] && [ "$(ls -A mine)" = file ]; }

@test "no link in a folder leads out of it" {
    local name
    for name in results.csv .results.csv.new report.html .results.lock summary.csv tables.csv; do
        rm -rf case
        cp -r theirs case
        ln -sf ../mine/file "case/$name"
        "$PROBE" report case >/dev/null 2>messages || true
        "$PROBE" run small.yaml --out case --set seeds=[1] >/dev/null 2>>messages || true
        unharmed
    done
    for name in figures specs cells; do
        rm -rf case
        cp -r theirs case
        rm -rf "case/${name:?}"
        ln -s ../mine "case/$name"
        "$PROBE" report case >/dev/null 2>messages || true
        "$PROBE" run small.yaml --out case --set seeds=[1] >/dev/null 2>>messages || true
        unharmed
    done
    rm -rf case
    cp -r theirs case
    for name in case/cells/*; do
        rm -r "$name"
        ln -s ../../mine "$name"
    done
    "$PROBE" run small.yaml --out case --set seeds=[0] >/dev/null 2>messages && return 1
    grep -q 'symbolic link' messages
    unharmed
}

@test "links that the user names are followed" {
    ln -s theirs link
    ln -s rows.csv other.csv
    touch rows.csv
    run "$PROBE" report link
    [ "$status" -eq 0 ]
    [ -s theirs/report.html ]
    run "$PROBE" run small.yaml --out link --csv other.csv --set seeds=[0]
    [ "$status" -eq 0 ]
    [ -L other.csv ]
    [ "$(wc -l <rows.csv)" -gt 1 ]
}
