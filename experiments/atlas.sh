#!/bin/sh
# Renews atlas.csv, the figure and the tables of atlas.md; page.sh calls it with the program.
set -eu
status=0
"$1" bound experiments/atlas.yaml --quiet --out results/atlas || status=$?
[ $status -le 1 ]
numerics=$("$1" --version | awk '$1 == "numerics" {print $2}')
python3 experiments/atlas.py rows results/atlas/bound.csv --numerics "$numerics" --csv experiments/atlas.csv
gnuplot experiments/atlas.gnuplot
python3 experiments/atlas.py page experiments/atlas.csv experiments/atlas-trained.csv experiments/atlas.md
exit $status
