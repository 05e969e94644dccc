# Numbers that pages quote are those of committed CSVs.
load help_cmd.bash

quoted() { python3 "$BATS_TEST_DIRNAME/quoted.py" "$@"; }

@test "each number in a table of a committed page has its row in a committed CSV" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    quoted "$ROOT"/experiments/*.md "$ROOT/README.md" || { quoted "$ROOT"/experiments/*.md "$ROOT/README.md" >&3; false; }
}

@test "a number that no row has is found, as is a table whose CSV is not there" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    for name in graph paper-figure; do cp "$ROOT/experiments/$name.md" "$ROOT/experiments/$name"*.csv .; done
    quoted graph.md paper-figure.md
    sed 's/0.401×÷1.65/0.402×÷1.65/' graph.md >other.md
    [[ "$(! quoted other.md)" == *"other.md:"*"0.402×÷1.65 is in no CSV"* ]]
    sed 's/0.401×÷1.65/0.401×÷1.66/' graph.md >other.md
    [[ "$(! quoted other.md)" == *"0.401×÷1.66 is in no CSV"* ]]
    sed 's/| etp | RPE | 10 | .858/| etp | RPE | 10 | .868/' paper-figure.md >other.md
    [[ "$(! quoted other.md)" == *".868 is in no CSV"* ]]
    sed 's/are not in a CSV$/are kept/' paper-figure.md >other.md
    [[ "$(! quoted other.md)" == *"must say that this is not in a CSV"* ]]
    rm graph.csv
    if quoted graph.md >missing; then false; fi
}
