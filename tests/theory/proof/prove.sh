#!/usr/bin/env bash
# Compiles the proof and says which axioms each theorem rests on.
#   prove.sh FOLDER PROGRAM    FOLDER holds what is compiled; nothing is written beside the sources
# Fails on an error, on an admitted statement, and on any axiom but those of the standard library's
# real numbers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
program=$(realpath "$2")
mkdir -p "$folder"
cp "$here"/*.v "$folder"
cd "$folder"

# Small certificates of every class, true and false, for the checker that is proved.
python3 "$here/certificates_to_coq.py" "$here/../../../cmd/urpe-probe-check/urpe-probe-check" --small "$program" >Certificates.v

# What would pass for a proof without being one.
if grep -nE '\b(Admitted|admit|Axiom|Axioms|Conjecture|Parameter|Parameters|Abort)\b|Unset Guard|bypass_check' \
    ./*.v; then
    echo "proof: a statement above is not proved" >&2
    exit 1
fi

# shellcheck disable=SC2046
for file in $(coqdep -sort -Q . Urpe $(ls ./*.v)); do
    echo "  COQ    ${file#./}"
    coqc -q -Q . Urpe "$file" >"${file%.v}.log"
done

# One block of the log for each group of Theorems.v.  The axioms are those by which the library builds
# the real numbers; networks need none, and only logarithms bring excluded middle.
sed -n 's/^Print Assumptions \(.*\)\.$/\1/p' Theorems.v >groups
awk '
    BEGIN {
        real["ClassicalDedekindReals.sig_not_dec"] = real["ClassicalDedekindReals.sig_forall_dec"] = 1
        real["FunctionalExtensionality.functional_extensionality_dep"] = 1
    }
    FNR == NR {name[++names] = $1; next}
    /^(Axioms:|Closed under the global context)$/ {block++; next}
    /^[A-Za-z]/ {
        group = name[block]
        if (group == "networks" || !real[$1] && !($1 == "Classical_Prop.classic" && group == "logarithms")) {
            print "proof: " group " rests on " $1
            wrong = 1
        }
        sub(/.*\./, "", $1)
        axioms[block] = axioms[block] " " $1
    }
    END {
        if (block != names || names < 8) {
            print "proof: " block + 0 " groups of theorems were examined, " names " were expected"
            exit 1
        }
        for (k = 1; k <= names; k++)
            print name[k] ":" (axioms[k] == "" ? " no axioms" : axioms[k])
        exit wrong
    }' groups Theorems.log
echo "$(grep -o '@' Theorems.v | wc -l) theorems in $(cat ./*.v | wc -l) lines"
