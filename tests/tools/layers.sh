#!/bin/sh
# Compares the includes of lib/ and cmd/ with the layers that the README names, looks for what the
# library may not do, and for lines laid out otherwise than the rest.
set -u
found=$(mktemp)
trap 'rm -f "$found"' EXIT

allowed() {
    case $1 in
    base) echo base ;;
    kernel | space) echo "$1 base" ;;
    target) echo "target space base" ;;
    normaliser) echo "normaliser kernel base" ;;
    encoding) echo "encoding space kernel base" ;;
    floor) echo "floor space base" ;;
    model) echo "model floor encoding normaliser space kernel base" ;;
    train) echo "train model target space kernel base encoding" ;;
    witness) echo "witness model encoding target space kernel base" ;;
    spec) echo "spec witness train model encoding target space kernel base" ;;
    report) echo "report spec witness train base" ;;
    run) echo "run report spec witness train model floor encoding normaliser target space kernel base" ;;
    *) echo "" ;;
    esac
}

for layer in base kernel space target normaliser encoding floor model train witness spec report run; do
    sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' lib/$layer/*.[ch] 2>/dev/null | sort -u |
        while read -r used; do
            case " $(allowed $layer) " in
            *" $used "*) ;;
            *) echo "lib/$layer includes $used/: $(grep -l "^#include \"$used/" lib/$layer/*.[ch] | tr '\n' ' ')" ;;
            esac
        done
done >"$found"
only() { # header, folder where it may be included
    grep -lE "^#include <($1)" -r lib cmd | grep -v "^$2" |
        while read -r f; do echo "$f includes <$1>; only $2 may"; done
}
{
    only 'yaml\.h' lib/spec/
    only 'cblas|openblas' lib/kernel/
    only 'cjson/' lib/base/
    only 'lua' lib/target/
    grep -lE '(^|[^_a-z])(malloc|calloc|realloc|aligned_alloc) ?\(' -r lib cmd |
        grep -v '^lib/base/memory\.c$' |
        while read -r f; do echo "$f calls malloc; only lib/base/memory.c may"; done
    grep -lE '(^|[^_a-z.>])exit ?\(|(^|[^_a-z])printf ?\(' -r lib --include='*.[ch]' |
        while read -r f; do echo "$f exits or prints; the library does neither"; done
    grep -nE '^[A-Za-z_].*\) \{$' -r lib cmd tests --include='*.[ch]' |
        while read -r f; do echo "$f: the brace of a function has a line of its own"; done
    grep -nE '^ +(\} )?(else )?(if|for|while) \(.*\) (return|continue|break|goto)[ ;]' -r lib cmd tests --include='*.[ch]' |
        while read -r f; do echo "$f: a statement has a line of its own"; done
    find lib cmd tests -name '*.[ch]' -exec wc -l {} + |
        awk '$2 != "total" && $1 > 800 {print $2 " has " $1 " lines; split it (800)"}'
} >>"$found"
cat "$found" >&2
[ ! -s "$found" ]
