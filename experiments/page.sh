#!/bin/sh
# Runs experiments and renews what their pages show.
#   page.sh PROGRAM NAME...
#   page.sh --redraw PROGRAM NAME...    NAME.svg alone, from NAME.csv, without training (redraw.py)
#
# NAME.svg is what NAME.gnuplot draws from NAME.csv, where there is such a script.  Else it is the first
# of the figures that the spec names; where it names none, `lengths`, `params` or `floor`, the first
# that was drawn.  NAME.csv is what summary.csv says about errors and floors.  In NAME.md the
# table goes into the code block behind <!-- table -->; all else in it is written by hand.  Where there is
# a NAME.awk, what it makes of results.csv stands in the table's place, above the claims.  Where there is a
# NAME.sh, it does all that instead.
set -eu
redraw=
[ "$1" != --redraw ] || { redraw=$1 && shift; }
program=$1
shift

# renew PAGE TABLE: PAGE with the lines of TABLE in its code block.
renew() {
    awk -v table="$2" '
        /^```$/ && waiting {
            print; while ((getline line < table) > 0) print line
            waiting = 0; inside = 1; next
        }
        /^```$/ && inside { inside = 0 }
        /^<!-- table -->$/ { waiting = 1 }
        !inside { print }' "$1" >"$1.new"
    mv "$1.new" "$1"
}

for name in "$@"; do
    page=experiments/$name.md results=results/$name
    if [ "$redraw" ] && [ -e "experiments/$name.gnuplot" ]; then
        gnuplot "experiments/$name.gnuplot"
        continue
    elif [ -e "experiments/$name.sh" ]; then
        sh "experiments/$name.sh" "$program"
        continue
    elif [ "$redraw" ]; then
        results=results/redrawn/$name
        rm -rf "$results"
        "$program" run "experiments/$name.yaml" --set train.steps=0 --out "$results" --no-claims --quiet
        python3 "$(dirname "$0")/redraw.py" "$results" "experiments/$name.csv"
    else
        "$program" run "experiments/$name.yaml" --no-claims --quiet
        rm -rf "$results/figures" # of earlier reports
    fi
    # A claim that does not hold is in the table, too; then this stops here, behind the files.
    status=0
    COLUMNS=110 LC_ALL=C.UTF-8 "$program" report "$results" --color never \
        >"$results/table.txt" || status=$?
    [ $status -le 1 ]
    figure=$(sed -n 's/^figures: \[\([a-z]*\).*/\1/p' "experiments/$name.yaml")
    for drawn in lengths params floor; do
        [ -n "$figure" ] || [ ! -e "$results/figures/$drawn-$name.svg" ] || figure=$drawn
    done
    rms= # where a target is constant on some inputs, the table has that
    ! grep -q 'r: error_rms' "$results/table.txt" || rms='|error_rms|floor_rms'
    [ "$redraw" ] || grep -E "^experiment,|,(error_rel|floor_rel|error_sup|lipschitz_floor|lipschitz_found|lipschitz_weights|accuracy|accuracy_informative|accuracy_ceiling|bits_per_byte|cross_entropy_floor|depth_floor_rel|depth_accuracy_ceiling$rms),[0-9]+," \
        "$results/summary.csv" >"experiments/$name.csv"
    if [ -e "experiments/$name.gnuplot" ]; then
        gnuplot "experiments/$name.gnuplot"
    else
        cp "$results/figures/$figure-$name.svg" "experiments/$name.svg"
    fi
    [ -z "$redraw" ] || continue
    if [ -e "experiments/$name.awk" ]; then
        { sed '/^$/q' "$results/table.txt" &&
            awk -f experiments/results.awk -f "experiments/$name.awk" "$results/results.csv" && echo &&
            sed -n '/^\(held\|NOT HELD\) /,$p' "$results/table.txt"; } | sed 's/ *$//' >"$results/page.txt"
        mv "$results/page.txt" "$results/table.txt"
    fi
    renew "$page" "$results/table.txt"
    [ $status = 0 ]
done
