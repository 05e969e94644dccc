# A Slurm of one node on 127.0.0.1 with state folders of its own; nothing of the machine's own
# configuration is read or changed.  slurm_start sets SLURM_HOME and SLURM_CONF, or sets `why` and
# returns 1.

slurm_configuration() {
    cat <<CONF
ClusterName=urpe
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$1
SlurmdPort=$(($1 + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$SLURM_HOME/munge/socket
StateSaveLocation=$SLURM_HOME/state
SlurmdSpoolDir=$SLURM_HOME/spool
SlurmctldPidFile=$SLURM_HOME/slurmctld.pid
SlurmdPidFile=$SLURM_HOME/slurmd.pid
SlurmctldLogFile=$SLURM_HOME/slurmctld.log
SlurmdLogFile=$SLURM_HOME/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_min_interval=100000
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP MaxTime=60
CONF
}

slurm_start_munge() {
    mkdir -m 700 "$SLURM_HOME/munge"
    dd if=/dev/urandom of="$SLURM_HOME/munge/key" bs=1024 count=1 2>/dev/null
    chmod 600 "$SLURM_HOME/munge/key"
    chown -R munge "$SLURM_HOME/munge"
    chmod 711 "$SLURM_HOME/munge"
    setpriv --reuid=munge --regid=munge --clear-groups munged --force \
        --key-file="$SLURM_HOME/munge/key" --socket="$SLURM_HOME/munge/socket" \
        --pid-file="$SLURM_HOME/munge/pid" --log-file="$SLURM_HOME/munge/log" \
        --seed-file="$SLURM_HOME/munge/seed" >"$SLURM_HOME/munge-messages" 2>&1 3>&- 4>&-
}

slurm_idle() { sinfo -h -o %T 2>/dev/null | grep -q idle; }

slurm_start() {
    local program
    for program in munged slurmctld slurmd sbatch; do
        command -v "$program" >/dev/null || { why="$program is not installed"; return 1; }
    done
    [ "$(id -u)" = 0 ] || { why="Slurm's daemons need root"; return 1; }
    export SLURM_HOME SLURM_CONF
    SLURM_HOME=$(mktemp -d) SLURM_CONF=$SLURM_HOME/slurm.conf
    chmod 755 "$SLURM_HOME"
    mkdir "$SLURM_HOME/state" "$SLURM_HOME/spool"
    slurm_configuration $((20000 + RANDOM % 10000)) >"$SLURM_CONF"
    slurm_start_munge || { why="munged: $(tail -n 1 "$SLURM_HOME/munge-messages")"; return 1; }
    for program in slurmctld slurmd; do # not with bats' own descriptors, which it waits for
        "$program" >"$SLURM_HOME/messages" 2>&1 3>&- 4>&- || {
            why="$program: $(tail -n 1 "$SLURM_HOME/messages")"
            return 1
        }
    done
    eventually slurm_idle || { why="the node does not come up"; return 1; }
}

slurm_stop() {
    local file
    [ -n "${SLURM_HOME:-}" ] || return 0
    scancel --user=root 2>/dev/null || true
    for file in slurmd.pid slurmctld.pid munge/pid; do
        [ ! -e "$SLURM_HOME/$file" ] || kill "$(cat "$SLURM_HOME/$file")" 2>/dev/null || true
    done
    sleep 1
    rm -rf "$SLURM_HOME"
}
