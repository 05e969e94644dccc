#!/bin/sh
# Renews atlas.csv, the figure and the tables of atlas.md; page.sh calls it with the program.
#
# Cells that were trained, where there are some in results/atlas-trained, are in the figure.
set -eu
"$1" bound experiments/atlas.yaml --quiet --out results/atlas
trained=$(ls results/atlas-trained/results.csv 2>/dev/null || true)
python3 experiments/atlas.py rows results/atlas/bound.csv --trained $trained --csv experiments/atlas.csv
gnuplot experiments/atlas.gnuplot
python3 experiments/atlas.py page experiments/atlas.csv experiments/atlas.md
