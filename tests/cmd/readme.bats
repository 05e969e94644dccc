# README and the program say the same.
load help_cmd

@test "files have the columns that list names, and columns.md says what they mean (test_readme)" {
    probe run tiny.yaml --quiet --no-claims
    for file in results summary curves positions tables; do
        listed=$(probe list columns --format csv | sed -n "s/^$file[.]csv,\([a-z0-9_]*\),.*/\1/p" | paste -sd,)
        [ "$(head -n 1 results/tiny/$file.csv)" = "$listed" ]
    done
}

@test "README has fewer than 300 lines, and its links lead somewhere, as do those of the pages" {
    cd "$BATS_TEST_DIRNAME/../.."
    [ "$(wc -l <README.md)" -lt 300 ]
    for page in README.md experiments/*.md lib/README.md lib/*/README.md; do
        for link in $(grep -o '](\([^)#:]*\)' "$page" | cut -c3-) $(sed -n 's/.*src="\([^"]*\)".*/\1/p' "$page"); do
            [ -e "$(dirname "$page")/$link" ] || { echo "$page: $link"; false; }
        done
    done
}

@test "quickstart ends with what README says it ends with" {
    cd "$BATS_TEST_DIRNAME/../.."
    make -n quickstart | sed -n "s/^ *'\(.*[a-z.]\)'.*/\1/p" >"$HERE/said"
    [ "$(wc -l <"$HERE/said")" = 4 ]
    while IFS= read -r line; do grep -qxF "$line" README.md || { echo "$line"; false; }; done <"$HERE/said"
}

# echo.bats checks that each is a sound spec.
@test "the gallery has a row for every experiment" {
    cd "$BATS_TEST_DIRNAME/../.."
    for spec in experiments/*.yaml; do
        grep -qF "($(basename "$spec"))" experiments/README.md
    done
}
