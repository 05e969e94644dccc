# Shared by the tests of the program: a folder of its own for each test, and a spec that trains in a
# moment.  URPE_PROBE names the program; `make test-cmd` and `make test` set it.

setup() {
    [ -x "$URPE_PROBE" ] || { echo "URPE_PROBE is not set"; return 1; }
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    HERE=$(mktemp -d)
    cd "$HERE" || return 1
    cat >tiny.yaml <<'SPEC'
name: tiny
seeds: 1
space: {length: 4, channels: 1, inputs: {identical: 0.5}}
target: position
model: {encoding: toeplitz, layers: 1, heads: 1, width: 8, ffn: 8}
train: {steps: 3, batch: 4}
evaluate: {samples: 16, every: 2}
grid:
  model.attention: [rpe, urpe]
claims:
  - where: {model.attention: rpe, subset: identical}
    expect: {verdict: impossible, gap_rel: ">= -1e-5"}
SPEC
}

teardown() {
    cd / && rm -rf "$HERE"
}

probe() { "$URPE_PROBE" "$@"; }

# Runs the program with its two outputs apart: $status, $output (standard output) and $errors.
try() {
    status=0
    "$URPE_PROBE" "$@" >out 2>err || status=$?
    output=$(cat out) errors=$(cat err)
    rm -f out err
}

# has TEXT WHOLE: TEXT is part of WHOLE.
has() {
    case "$2" in
    *"$1"*) ;;
    *) printf 'not there: %s\nin: %s\n' "$1" "$2"; return 1 ;;
    esac
}

# header FILE: the first line of one of the CSV files, as the program lists its columns.
header() { probe list columns --format csv | awk -F, -v file="$1" '$1 == file {print $2}' | paste -sd,; }

# fields NAME...: these columns of the CSV on standard input, with commas between them.
fields() { python3 -c '
import csv, sys
for row in csv.DictReader(sys.stdin): print(*(row[name] for name in sys.argv[1:]), sep=",")' "$@"; }
