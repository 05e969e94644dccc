#!/bin/bash
# One task of a Slurm job array: every M-th cell of a spec, M the size of the array.
#
#   sbatch --array=0-9 experiments/slurm/array.sh SPEC --out FOLDER [--set KEY=VALUE ...]
#
# FOLDER must be one that all nodes see.  See README.md beside this file.
#SBATCH --job-name=urpe-probe
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu
: "${SLURM_ARRAY_TASK_ID:?run this with sbatch --array=0-N}"

# Shards count from 0, whatever numbers the array has.
shard=$(((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN) / ${SLURM_ARRAY_TASK_STEP:-1}))

# exec: Slurm's SIGTERM must reach the program, which then writes its checkpoints.
exec "${URPE_PROBE:-urpe-probe}" run "$@" --no-progress --jobs "${SLURM_CPUS_PER_TASK:-1}" \
    --shard "$shard/$SLURM_ARRAY_TASK_COUNT"
