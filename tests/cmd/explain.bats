# explain: from colours to the floor.
load help_cmd

gain() {
    probe explain "$BATS_TEST_DIRNAME/../../experiments/quickstart.yaml" --set target.kind=gain \
        --set space.length=4 --set space.channels=1 "$@"
}

@test "explain: positions, rule, arithmetic and verdict" {
    run gain --set model.attention=rpe
    [ "$status" -eq 0 ]
    [[ "$output" == *"positions 1 to 4 of sample"* ]]
    [[ "$output" == *"(one colour)"* ]]
    [[ "$output" == *"floor_rel = 1,"* ]]
    [[ "$output" == *"impossible."* ]]
    run gain --set model.attention=urpe
    [[ "$output" == *"nothing is proved impossible"* ]]
}

@test "explain: JSON has the floor that bound has, and the picture is XML" {
    gain --set model.attention=rpe --format json >why.json
    [ "$(jq -r .rule why.json)" = "one colour" ]
    [ "$(jq -c '.samples[0].rounds' why.json)" = "[[0,0,0,0],[0,0,0,0]]" ]
    gain --set model.attention=rpe --format svg >why.svg
    python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' why.svg
}

@test "explain: an unknown cell or sample is refused" {
    run gain --cell nosuchcell
    [ "$status" -eq 2 ]
    run gain --sample 4000
    [ "$status" -eq 2 ]
    [[ "$output" == *"--sample"* ]]
}
