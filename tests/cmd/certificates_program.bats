#!/usr/bin/env bats
# The certificates that urpe-probe writes, as urpe-probe-check judges them.
load help_certificates

@test "what the program writes of plans, prefixes, registers, means, depths and lengths is valid; lies about it" {
    tests Program
}

@test "run and bound write the same certificates, for any number of jobs, again and after a kill" {
    cd "$BATS_TEST_TMPDIR"
    program=${URPE_PROBE:-$here/../../build/urpe-probe}
    printf '%s\n' 'name: small' 'target: gain' 'space: {length: 6, channels: 1, inputs: {identical: 0.5}}' \
        'model: {layers: 1, heads: 1, width: 4, ffn: 4}' 'train: {steps: 3}' 'evaluate: {samples: 8, lengths: [6, 9]}' \
        'grid: {model.attention: [rpe, urpe], model.normaliser: [softmax, sink]}' >small.yaml
    "$program" bound small.yaml --certificate bound --quiet
    "$program" run small.yaml --certificate one --jobs 1 --quiet
    "$program" run small.yaml --certificate two --jobs 2 --quiet --out other
    diff -r bound one
    diff -r bound two
    [ "$(find bound -type f | wc -l)" = 36 ] # 4 cells, 2 lengths and both together, 3 subsets
    : >bound/"$(ls bound | head -n 1)"/6-all.txt # what a killed program could not leave
    "$program" run small.yaml --certificate bound --quiet # all cells are finished
    diff -r bound one
    "$check" $(find bound -type f) | grep -c ': valid' | grep -x 36
}

@test "the page names the certificate of each impossible line, and its commands check them" {
    cd "$BATS_TEST_TMPDIR"
    program=${URPE_PROBE:-$here/../../build/urpe-probe}
    printf '%s\n' 'name: small' 'target: gain' 'space: {length: 6, channels: 1, inputs: {identical: 0.5}}' \
        'seeds: 2' 'model: {layers: 1, heads: 1, width: 4, ffn: 4}' 'train: {steps: 3}' 'evaluate: {samples: 8}' \
        'grid: {model.attention: [rpe, urpe]}' >small.yaml
    "$program" run small.yaml --out results --quiet
    "$program" report results --no-claims >/dev/null
    cd results
    # As a reader of the page would: the commands of its <pre>, with our own programs.
    sed -n '/Certificates: have/,/<\/details>/p' report.html >part.html
    sed -n 's/^.*<pre>\(urpe-probe bound .*\)$/\1/p; s/^\(urpe-probe-check [^ ]*\)<\/pre>.*$/\1/p' part.html |
        sed "s|^urpe-probe-check|$check|; s|^urpe-probe |$program |" >commands.sh
    [ "$(wc -l <commands.sh)" = 2 ]
    bash -eu commands.sh >log
    [ "$(grep -c ': valid' log)" = 12 ] # 2 cells, 2 seeds, 3 subsets
    names=$(grep -o '<code>certificates/[^<]*' part.html | cut -c7-)
    [ "$(wc -l <<<"$names")" = 4 ] # rpe, 2 seeds: all and identical
    for name in $names; do "$check" $name; done
}

@test "a large certificate is compressed, the same way each time, and replaces a plain one" {
    cd "$BATS_TEST_TMPDIR"
    program=${URPE_PROBE:-$here/../../build/urpe-probe}
    local n=16 samples=640 # of 4 channels
    [ -z "${URPE_FULL:-}" ] || n=128 samples=256
    printf '%s\n' 'name: large' 'target: gain' "space: {length: $n, inputs: {palindrome: 1}}" \
        'model: {encoding: alibi, attention: rpe}' "evaluate: {samples: $samples}" >large.yaml
    "$program" bound large.yaml --certificate out --quiet
    file=$(echo out/*/$n-all.txt.gz)
    [ -f "$file" ]
    cp -r out before
    gzip -d "$file"
    "$program" bound large.yaml --certificate out --quiet
    diff -r before out
    [ "$(stat -c %s "$file")" -le $((n * samples * 610)) ]
    (ulimit -v 1000000; "$check" "$file")
}

@test "a folder that cannot be written is named before anything is computed" {
    cd "$BATS_TEST_TMPDIR"
    program=${URPE_PROBE:-$here/../../build/urpe-probe}
    printf 'name: t\ntarget: gain\n' >t.yaml
    : >file
    run "$program" bound t.yaml --certificate file/below
    [ "$status" = 3 ]
    [[ $output == *file/below* ]]
}
