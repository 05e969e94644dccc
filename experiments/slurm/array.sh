#!/bin/bash
# One task of a Slurm job array: task I of M trains the cells whose number is I modulo M.
#
#   sbatch --array=0-9 experiments/slurm/array.sh 10 SPEC --out FOLDER [--set KEY=VALUE ...]
#
# M is said, here 10, and not the size of the array, so that any list of tasks (--array=3,7) can run
# again by themselves.  FOLDER must be one that all nodes see.  See README.md beside this file.
#SBATCH --job-name=urpe-probe
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu
: "${SLURM_ARRAY_TASK_ID:?run this with sbatch --array=0-N}"

shards=${1-}
[[ $shards =~ ^[1-9][0-9]{0,5}$ ]] || {
    echo "array.sh: '$shards' is no number of tasks; expected sbatch --array=0-9 array.sh 10 SPEC --out FOLDER" >&2
    exit 2
}
shift
[ "$SLURM_ARRAY_TASK_ID" -lt "$shards" ] || {
    echo "array.sh: task $SLURM_ARRAY_TASK_ID of $shards; tasks count from 0 to $((shards - 1))" >&2
    exit 2
}

# exec: Slurm's SIGTERM must reach the program, which then writes its checkpoints.
exec "${URPE_PROBE:-urpe-probe}" run "$@" --no-progress --jobs "${SLURM_CPUS_PER_TASK:-1}" \
    --shard "$SLURM_ARRAY_TASK_ID/$shards"
