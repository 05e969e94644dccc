# A spec as a Slurm job array, with one task requeued and one cancelled in the middle: in the end the
# folder holds the same bytes as after a run on this machine alone.
load help
load slurm

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    small_spec small.yaml 20000
}
teardown() { slurm_stop; }

# submit TASKS ARRAY
submit() {
    sbatch --parsable --array="$2" --output="$PWD/slurm-%A_%a.out" \
        "$ROOT/experiments/slurm/array.sh" "$1" "$PWD/small.yaml" --quiet --out "$PWD/shared"
}
# Array task $1 trains one of its cells: a process of its shard holds a cell's lock.
trains() {
    local process
    for process in $(pgrep -f -- "--shard $1/4"); do
        # shellcheck disable=SC2010
        if ls -l "/proc/$process/fd" 2>/dev/null | grep -q 'cells/.*/lock'; then return 0; fi
    done
    return 1
}
queue_is_empty() { [ -z "$(squeue -h 2>/dev/null)" ]; }
# A requeued task waits two minutes by default; nobody else wants the machine.
start_at_once() {
    local job
    for job in $(squeue -h -r -t PENDING -o %i); do
        scontrol update "jobid=$job" StartTime=now 2>/dev/null || true
    done
    queue_is_empty
}
finishes() {
    local k
    for k in $(seq 240); do
        start_at_once && return 0
        sleep 0.5
    done
    squeue
    return 1
}

@test "a job array, requeued and cancelled in the middle, ends with the single run's bytes" {
    slurm_start || skip "$why"
    export URPE_PROBE=$PROBE
    "$PROBE" run small.yaml --out whole >/dev/null 2>&1

    job=$(submit 4 0-3)
    eventually trains 0
    scontrol requeue "${job}_0"
    eventually trains 1
    sleep 0.2 # samples are drawn, and steps are taken
    scancel "${job}_1"
    finishes
    # The cancelled task has left a checkpoint; lists and steps of tasks take it up, two arrays at a time.
    [ -n "$(ls shared/cells/*/checkpoint)" ]
    [ "$(ls shared/cells/*/row.csv | wc -l)" -lt 8 ]
    submit 4 1,3
    submit 4 0-2:2
    finishes
    [ "$(ls shared/cells/*/row.csv | wc -l)" -eq 8 ]
    [ -z "$(grep 'starts again' slurm-*.out)" ]

    cat slurm-*.out
    "$PROBE" report shared >/dev/null
    same_results whole shared
}

@test "the script says what it was not told, and refuses a task beyond the last" {
    run env SLURM_ARRAY_TASK_ID=1 "$ROOT/experiments/slurm/array.sh" small.yaml --out shared
    [ "$status" -eq 2 ]
    [[ $output == *"'small.yaml' is no number of tasks"* ]]
    run env SLURM_ARRAY_TASK_ID=7 "$ROOT/experiments/slurm/array.sh" 7 small.yaml --out shared
    [ "$status" -eq 2 ]
    [[ $output == *"tasks count from 0 to 6"* ]]
    [ ! -e shared ]
    URPE_PROBE=echo SLURM_ARRAY_TASK_ID=3 run "$ROOT/experiments/slurm/array.sh" 8 small.yaml
    [ "$output" = "run small.yaml --no-progress --jobs 1 --shard 3/8" ]
}
