#!/bin/sh
# Trains what is not trained yet, and renews atlas-trained.csv, the atlas's figure and the tables of atlas.md; page.sh
# calls it with the program.  A claim that does not hold stops it behind the files.
set -eu
status=0
"$1" run experiments/atlas-trained.yaml --quiet || status=$?
[ $status -le 1 ]
python3 experiments/atlas.py trained results/atlas-trained/results.csv --beside experiments/atlas.csv \
    --csv experiments/atlas-trained.csv || status=$?
gnuplot experiments/atlas.gnuplot
python3 experiments/atlas.py page experiments/atlas.csv experiments/atlas-trained.csv experiments/atlas.md
exit $status
