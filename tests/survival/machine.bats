# What a machine has little of, or not at all.
load help

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    small_spec small.yaml 5
    # A build with sanitizers needs terabytes of addresses, and no emulator has them.
    (ulimit -v 4000000 && "$PROBE" --version >/dev/null 2>&1) || skip "this build needs too much memory"
}

@test "a BLAS core that the machine cannot execute is refused, and not tried" {
    command -v qemu-x86_64 >/dev/null || skip "qemu-user is not installed"
    [ "$(uname -m)" = x86_64 ] || skip "the program is for another machine type"
    # on CORE CPU: runs the program there; sets status.
    on() {
        status=0
        OPENBLAS_CORETYPE=$1 qemu-x86_64 -cpu "$2" "$PROBE" run small.yaml --out "$1-$2" --quiet \
            --set seeds=[0] --set target.kind=gain 2>messages || status=$?
    }
    on SkylakeX Haswell
    [ "$status" -eq 2 ]
    grep -q '^OPENBLAS_CORETYPE: .* SkylakeX, which this machine cannot execute' messages
    on Haswell Nehalem
    [ "$status" -eq 2 ]
    on Prescott Nehalem
    [ "$status" -eq 0 ]
}

# The command takes a fifth of a gigabyte at the most.
is_small() {
    local status kib
    python3 -c 'import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@" >peak
    read -r status kib <peak
    echo "$*: status $status, $kib KiB"
    [ "$status" -eq 0 ] && [ "$kib" -lt 200000 ]
}

@test "check, run and report of 100,000 cells take a fifth of a gigabyte" {
    command -v python3 >/dev/null || skip "no python3"
    is_small "$PROBE" check small.yaml --set seeds=25000
    is_small "$PROBE" run small.yaml --out many --quiet --shard 0/100000 --set seeds=25000
    is_small "$PROBE" report many --no-claims
}
