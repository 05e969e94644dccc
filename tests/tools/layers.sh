#!/bin/sh
# Compares the includes of lib/ and cmd/ with the layers that the README names, and looks for what
# the library may not do.
set -u
bad=0
say() { echo "$1" >&2; bad=1; }

allowed() {
    case $1 in
    base) echo base ;;
    kernel | space) echo "$1 base" ;;
    target) echo "target space base" ;;
    encoding) echo "encoding space kernel base" ;;
    model) echo "model encoding space kernel base" ;;
    train) echo "train model target space kernel base encoding" ;;
    theory) echo "theory model encoding target space kernel base" ;;
    spec) echo "spec theory train model encoding target space kernel base" ;;
    report) echo "report spec theory train base" ;;
    run) echo "run report spec theory train model encoding target space kernel base" ;;
    *) echo "" ;;
    esac
}

for layer in base kernel space target encoding model train theory spec report run; do
    for used in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' lib/$layer/*.[ch] 2>/dev/null | sort -u); do
        case " $(allowed $layer) " in
        *" $used "*) ;;
        *) say "lib/$layer includes $used/: $(grep -l "^#include \"$used/" lib/$layer/*.[ch] | tr '\n' ' ')" ;;
        esac
    done
done
only() { # header, where it may be included
    for f in $(grep -lE "^#include <($1)" -r lib cmd); do
        case $f in $2) ;; *) say "$f includes <$1>; only $2 may" ;; esac
    done
}
only 'yaml\.h' 'lib/spec/*'
only 'cblas|openblas' 'lib/kernel/*'
only 'cjson/' 'lib/base/*'
only 'lua' 'lib/target/*'
for f in $(grep -lE '(^|[^_a-z])(malloc|calloc|realloc|aligned_alloc) ?\(' -r lib cmd); do
    [ "$f" = lib/base/memory.c ] || say "$f calls malloc; only lib/base/memory.c may"
done
for f in $(grep -lE '(^|[^_a-z.>])exit ?\(|(^|[^_a-z])printf ?\(' -r lib); do
    say "$f exits or prints; the library does neither"
done
for f in $(find lib cmd tests -name '*.[ch]'); do
    lines=$(wc -l <"$f")
    [ "$lines" -le 500 ] || say "$f has $lines lines; split it (500)"
done
exit $bad
