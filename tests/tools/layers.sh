#!/bin/sh
# Compares the includes of lib/ with the table of rooms in the Makefile (layers.py), looks for what
# the library may not do, and for lines laid out otherwise than the rest.
set -u
found=$(mktemp)
trap 'rm -f "$found"' EXIT

only() { # header, folder where it may be included
    grep -lE "^#include <($1)" -r lib cmd | grep -v "^$2" |
        while read -r f; do echo "$f includes <$1>; only $2 may"; done
}
{
    python3 "$(dirname "$0")/layers.py" || [ $? = 1 ] || echo "layers.py did not run"
    only 'yaml\.h' lib/spec/
    only 'cblas|openblas' lib/kernel/
    only 'cjson/' lib/base/
    only 'lua' lib/
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
    grep -nE '^@test .*#' tests/*/*.bats |
        while read -r f; do echo "$f: TAP reads what follows a # as a directive"; done
} >"$found"
cat "$found" >&2
[ ! -s "$found" ]
