# README and the program say the same.
load help_cmd

@test "README lists every column of results.csv, in order" {
    cd "$BATS_TEST_DIRNAME/../.."
    listed=$(sed -n 's/^| `\([a-z_]*\)` | .*/\1/p' README.md | paste -sd,)
    run "$URPE_PROBE" bound experiments/quickstart.yaml --format csv --no-claims \
        --set evaluate.samples=8 --set seeds=[0]
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "$listed" ]
}

@test "README has a row for every experiment, and every experiment is a sound spec" {
    cd "$BATS_TEST_DIRNAME/../.."
    for spec in experiments/*.yaml; do
        grep -qF "($spec)" README.md
        data=$(sed -n 's/^target:.* file: \(\/[^,}]*\).*/\1/p' "$spec")
        if [ "$data" ] && [ ! -e "$data" ]; then
            echo "# $spec was not checked: there is no $data (make deps-ci)" >&3
            continue
        fi
        "$URPE_PROBE" check "$spec" >/dev/null
    done
}
