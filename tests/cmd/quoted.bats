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
    sed 's/| etp | RPE | 10 | .952/| etp | RPE | 10 | .953/' paper-figure.md >other.md
    [[ "$(! quoted other.md)" == *".953 is in no CSV"* ]]
    sed 's/are not in a CSV$/are kept/' paper-figure.md >other.md
    [[ "$(! quoted other.md)" == *"must say that this is not in a CSV"* ]]
    rm graph.csv
    if quoted graph.md >missing; then false; fi
}

@test "no row of a committed CSV has an error below its floor, and one that had would be found" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    hold() { python3 "$BATS_TEST_DIRNAME/floors_hold.py" "$@"; }
    hold "$ROOT"/experiments/*.csv || { hold "$ROOT"/experiments/*.csv >&3; false; }
    # A floor above its error, an accuracy above its ceiling, a leak that accounts for it and one that does not.
    awk -F, -v OFS=, 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i}
        $at["figure"] == "floor_rel" && $at["mean"] > 0.9 && !done++ {$at["mean"] = 1.1} {print}' \
        "$ROOT/experiments/quickstart.csv" >low.csv
    [[ "$(! hold low.csv)" == *"low.csv: mean quickstart"*"error_rel"*"against floor_rel 1.1"* ]]
    printf '%s\n' accuracy,accuracy_ceiling .5,.6 .7,.6 >labels.csv
    [[ "$(! hold labels.csv)" == *"accuracy 0.7 against accuracy_ceiling 0.6"*"2 errors beside floors in 1 files, 1 below" ]]
    printf '%s\n' error_rms,floor_rms,leak_rms 0,1,1 >leak.csv
    hold leak.csv
    printf '%s\n' error_rms,floor_rms,leak_rms 0,1,0.9 >leak.csv
    if hold leak.csv >low; then false; fi
    printf 'n,d\n1,2\n' >none.csv
    if hold none.csv >low; then false; fi
}
