# Shared by the survival tests: the program, small specs, and results compared without the columns
# that vary between two runs.
PROBE=${URPE_PROBE:-$BATS_TEST_DIRNAME/../../build/urpe-probe}
ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# Eight cells of a tenth of a second each; $1: the file, $2: steps.
small_spec() {
    cat >"$1" <<YAML
name: small
space: {length: 8, channels: 2, inputs: {identical: 0.5}}
target: gain
model: {layers: 1, heads: 2, width: 16, ffn: 16}
train: {steps: ${2:-200}, batch: 4, warmup: 20}
evaluate: {samples: 60, every: 37}
grid: {model.attention: [rpe, urpe], target.kind: [gain, prefix_sum]}
seeds: 2
YAML
}

# A table of results without seconds, tokens_per_second, peak_mib and threads.
stable() {
    awk -F, -v OFS=, 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i}
        NR > 1 {$at["seconds"] = ""; $at["tokens_per_second"] = ""; $at["peak_mib"] = ""; $at["threads"] = ""}
        {print}' "$1"
}

# Fails, with what differs, unless folders $1 and $2 hold the same results.
same_results() {
    local file
    diff <(stable "$1/results.csv") <(stable "$2/results.csv") || return 1
    for file in summary.csv curves.csv positions.csv tables.csv; do
        cmp "$1/$file" "$2/$file" || return 1
    done
    for file in "$1"/cells/*/weights.safetensors; do
        cmp "$file" "$2/${file#"$1"/}" || return 1
    done
    [ "$(ls "$1/cells")" = "$(ls "$2/cells")" ]
}

# Whether a cell of the results in $1 has begun.
has_cell() { [ -n "$(ls "$1"/cells/*/spec.yaml 2>/dev/null)" ]; }

# The processes whose parent is $1.
children_of() { pgrep -P "$1"; }

# Waits, a minute at the most, until the command given succeeds.
eventually() {
    local k
    for k in $(seq 1200); do
        "$@" && return 0
        sleep 0.05
    done
    return 1
}
