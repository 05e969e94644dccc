# Shared by tests of stops: a program in a session of its own, and whether anything of it is left.

# Starts the program in a session of its own, $pid.
start() {
    setsid "$PROBE" "$@" >/dev/null 2>messages &
    pid=$!
}
# The processes of that session, but for dead ones.
left() { ps -o pid=,stat= -s "$pid" | awk '$2 !~ /^Z/ {print $1}'; }
works() { [ "$(left | wc -l)" -ge "$1" ]; }
gone() { [ -z "$(left)" ]; }

# Sends signal $1 to $2: "group", "coordinator", or "worker", which falls back on the coordinator where
# there is none.
stop() {
    local target
    case $2 in
    group) target=-$pid ;;
    coordinator) target=$pid ;;
    worker) target=$(children_of "$pid" | head -n 1) target=${target:-$pid} ;;
    esac
    kill -s "$1" -- "$target" 2>/dev/null || true # it may have ended by itself
}

# The processor time that all processes of the session have had, in hundredths of a second.
work() {
    local process line sum=0
    for process in $(left); do
        read -r line <"/proc/$process/stat" || continue
        line=${line##*) }
        # shellcheck disable=SC2086
        set -- $line
        sum=$((sum + ${12} + ${13}))
    done 2>/dev/null
    echo "$sum"
}

# Waits until nothing is left of what got a signal; sets $status, and $took in seconds.  Fails where
# the session has worked for 5 s on each of two cores since, however busy the machine is with other
# things, or has slept for a minute.  A worker alone that ends is one cell less, and the run goes on.
wait_for_end() {
    local begin=$SECONDS before now
    before=$(work) status=0
    until gone; do
        now=$(work)
        if [ "${1:-}" != worker ]; then
            [ $((now - before)) -le 1000 ] && [ $((SECONDS - begin)) -le 60 ] || return 1
        fi
        [ $((SECONDS - begin)) -le 600 ] || return 1
        sleep 0.05
    done
    took=$((SECONDS - begin))
    wait "$pid" || status=$?
}
