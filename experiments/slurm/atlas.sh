#!/bin/bash
# Trains all classes of the atlas, four seeds each: one task of an array, as array.sh.
#
#   sbatch --array=0-99 experiments/slurm/atlas.sh 100 --out /shared/atlas
#   urpe-probe report /shared/atlas
#
# With --price in place of the number of tasks: what it costs, as `urpe-probe check` says.  Certified figures are not
# computed again: `urpe-probe bound experiments/atlas.yaml` has them.
#SBATCH --job-name=urpe-probe-atlas
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu
training=(experiments/atlas.yaml --set seeds=4 --set train.steps=800 --set train.lr=0.005 --set train.warmup=80
    --set evaluate.every=400 --set evaluate.witness=never --set evaluate.networks=0)
if [ "${1-}" = --price ]; then
    exec "${URPE_PROBE:-urpe-probe}" check "${training[@]}"
fi
shards=${1-}
shift || true
exec experiments/slurm/array.sh "$shards" "${training[@]}" "$@"
