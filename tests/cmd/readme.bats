# README and the program say the same.
load help_cmd

@test "files have the columns that list names, and columns.md says what they mean (test_readme)" {
    probe run tiny.yaml --quiet --no-claims
    for file in results summary curves positions tables; do
        listed=$(probe list columns --format csv | sed -n "s/^$file[.]csv,\([a-z0-9_]*\),.*/\1/p" | paste -sd,)
        [ "$(head -n 1 results/tiny/$file.csv)" = "$listed" ]
    done
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
