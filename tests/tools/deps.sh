#!/bin/sh
# Installs what is missing, or says what to install.
#   deps.sh run   build, test, figures
#   deps.sh ci    what continuous integration needs besides
#   deps.sh data  what experiments are about
#   deps.sh proof what `make proof` needs
set -eu
set_name=${1:-run}

have_library() { command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "$1"; }
have_program() { command -v "$1" >/dev/null 2>&1; }

# kind:probe        apt                  dnf                pacman          brew
table_run='
program:pkg-config  pkg-config           pkgconf            pkgconf         pkg-config
library:yaml-0.1    libyaml-dev          libyaml-devel      libyaml         libyaml
library:gsl         libgsl-dev           gsl-devel          gsl             gsl
library:openblas    libopenblas-dev      openblas-devel     openblas        openblas
library:libcjson    libcjson-dev         cjson-devel        cjson           cjson
library:nettle      nettle-dev           nettle-devel       nettle          nettle
library:lua5.4      liblua5.4-dev        lua-devel          lua             lua
library:zlib        zlib1g-dev           zlib-devel         zlib            zlib
library:cmocka      libcmocka-dev        libcmocka-devel    cmocka          cmocka
program:bats        bats                 bats               bats            bats-core
program:gnuplot     gnuplot-nox          gnuplot-minimal    gnuplot         gnuplot
program:pgrep       procps               procps-ng          procps-ng       -
'
table_ci='
program:clang       clang                clang              clang           llvm
header:asan         libclang-rt-14-dev   compiler-rt        compiler-rt     llvm
program:valgrind    valgrind             valgrind           valgrind        -
program:g++         g++                  gcc-c++            gcc             gcc
header:pcg          libpcg-cpp-dev       -                  -               -
program:shellcheck  shellcheck           ShellCheck         shellcheck      shellcheck
program:parallel    parallel             parallel           parallel        parallel
program:slurmctld   slurm-wlm            slurm-slurmctld    slurm-llnl      -
program:munged      munge                munge              munge           -
program:python3     python3              python3            python          python
program:zsh         zsh                  zsh                zsh             zsh
program:fish        fish                 fish               fish            fish
program:chromium    chromium             chromium           chromium        chromium
program:xmllint     libxml2-utils        libxml2            libxml2         libxml2
file:/usr/lib/python3/dist-packages/yaml python3-yaml     -                  -               -
program:aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc -
header:arm64        libc6-dev-arm64-cross -                 -               -
program:qemu-aarch64 qemu-user           qemu-user          qemu-user       -
'
table_proof='
program:coqc        coq                  coq                coq             coq
program:python3     python3              python3            python          python
'
table_data='
file:/usr/share/dasher/training_english_GB.txt dasher-data - - -
'
# Kernels for small matrix products: optional, and for this machine type only.
if [ "$(uname -m)" = x86_64 ]; then
    table_run="$table_run
library:libxsmm     libxsmm-dev          -                  -               -
"
fi
case $set_name in
run) table=$table_run ;;
ci) table=$table_ci$table_data$table_proof ;;
data) table=$table_data ;;
proof) table=$table_proof ;;
*) echo "usage: deps.sh run|ci|data|proof" >&2; exit 2 ;;
esac

manager=none column=0
for candidate in apt-get:2 dnf:3 pacman:4 brew:5; do
    if [ "$manager" = none ] && have_program "${candidate%:*}"; then
        manager=${candidate%:*} column=${candidate#*:}
    fi
done

missing_probe() {
    case $1 in
    library:*) ! have_library "${1#library:}" ;;
    program:*) ! have_program "${1#program:}" ;;
    file:*) ! [ -e "${1#file:}" ] ;;
    header:asan) ! ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan* >/dev/null 2>&1 ;;
    header:arm64) ! [ -e /usr/aarch64-linux-gnu/include/stdio.h ] ;;
    header:pcg) ! [ -e /usr/include/pcg_random.hpp ] ;;
    esac
}

rows=$(printf '%s' "$table" | while read -r probe apt dnf pacman brew; do
    [ -n "$probe" ] || continue
    if missing_probe "$probe"; then echo "$probe $apt $dnf $pacman $brew"; fi
done)
[ -n "$rows" ] || exit 0

packages_of() { printf '%s\n' "$rows" | awk -v c="$1" '$c != "-" {printf "%s ", $c}'; }
give_up() {
    {
        echo "deps: $1  Install these packages, then run make again:"
        echo "  Debian, Ubuntu:  apt-get install $(packages_of 2)"
        echo "  Fedora:          dnf install $(packages_of 3)"
        echo "  Arch:            pacman -S $(packages_of 4)"
        echo "  Homebrew:        brew install $(packages_of 5)"
    } >&2
    exit 1
}

sudo=
if [ "$(id -u)" != 0 ] && [ "$manager" != brew ]; then
    have_program sudo || give_up "not root, and there is no sudo."
    sudo=sudo
fi
packages=$(packages_of "$column")
[ -n "$packages" ] || exit 0
echo "deps: installing $packages" >&2
# The lists of packages are split on purpose.
# shellcheck disable=SC2086
case $manager in
apt-get)
    $sudo apt-get update -qq >&2 || true
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $packages >&2 || give_up "apt-get failed." ;;
dnf) $sudo dnf install -y -q $packages >&2 || give_up "dnf failed." ;;
pacman) $sudo pacman -S --noconfirm --needed $packages >&2 || give_up "pacman failed." ;;
brew) brew install $packages >&2 || give_up "brew failed." ;;
none) give_up "no package manager that this script knows." ;;
esac
