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

# Reports case, and runs a seed more there: both may refuse, and neither may die.
look() {
    local status=0
    "$PROBE" report case >/dev/null 2>messages || status=$?
    [ "$status" -lt 128 ]
    status=0
    "$PROBE" run small.yaml --out case --set seeds=[1] >/dev/null 2>>messages || status=$?
    [ "$status" -lt 128 ]
}

# Fails, and not by a signal.
refused() {
    local status=0
    "$PROBE" "$@" || status=$?
    [ "$status" -gt 0 ] && [ "$status" -lt 128 ]
}

@test "no link in a folder leads out of it" {
    local name
    for name in results.csv .results.csv.new report.html .results.lock summary.csv tables.csv; do
        rm -rf case
        cp -r theirs case
        ln -sf ../mine/file "case/$name"
        look
        unharmed
    done
    for name in figures specs cells; do
        rm -rf case
        cp -r theirs case
        rm -rf "case/${name:?}"
        ln -s ../mine "case/$name"
        look
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

@test "nothing that a folder holds steers the terminal" {
    local escape
    escape=$(printf '\033')
    mkdir "theirs/cells/x${escape}[2J" 
    touch "theirs/specs/${escape}]0;title"
    printf '\020\0\0\0\0\0\0\0{"a\\u001b[2J":0} ' >"theirs/in.safetensors"
    "$PROBE" report theirs >out 2>&1
    refused predict "$(echo theirs/cells/[0-9a-f]*)" --input theirs/in.safetensors --output y >>out 2>&1
    refused run small.yaml --out theirs --set "target=${escape}c" >>out 2>&1
    refused "${escape}[31m" >>out 2>&1
    grep -q 'skipped.*title' out
    grep -q '\[31m' out
    [ -z "$(tr -d '\n\t -~' <out | LC_ALL=C tr -d '\200-\377')" ]
}

@test "pipes in a folder are not waited for" {
    local name file
    for name in row.csv curve.csv position.csv table.csv lock spec.yaml weights.safetensors; do
        rm -rf case
        cp -r theirs case
        for file in case/cells/*/"$name"; do
            rm -f "$file"
            mkfifo "$file"
        done
        timeout 20 "$PROBE" report case >/dev/null 2>&1 || [ "$?" -ne 124 ]
        timeout 20 "$PROBE" run small.yaml --out case --set seeds=[0] >/dev/null 2>&1 || [ "$?" -ne 124 ]
        file=$(dirname "$file")
        timeout 20 "$PROBE" evaluate "$file" >/dev/null 2>&1 || [ "$?" -ne 124 ]
        timeout 20 "$PROBE" predict "$file" --input small.yaml --output y >/dev/null 2>&1 || [ "$?" -ne 124 ]
    done
    for name in results.csv .results.lock specs/x.yaml report.html; do
        rm -rf case
        cp -r theirs case
        rm -f "case/$name"
        mkfifo "case/$name"
        timeout 20 "$PROBE" report case >/dev/null 2>&1 || [ "$?" -ne 124 ]
    done
    for file in theirs/specs/*.yaml; do
        rm "$file"
        mkfifo "$file"
    done
    timeout 20 "$PROBE" report theirs >/dev/null 2>&1 || [ "$?" -ne 124 ]
}

@test "folders changed at random places run no command, and nothing outside is written" {
    command -v python3 >/dev/null || skip "no python3"
    mkdir apart && cd apart
    python3 -B "$BATS_TEST_DIRNAME/mutated-folders.py" "$PROBE" "${URPE_FOLDERS:-12}" >said || { cat said; return 1; }
    grep -q ' 0 ran a command' said
}
