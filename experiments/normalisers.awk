# Matrices of verdicts from results.csv: one for each target and kind of inputs, a row for each normaliser, a
# column for each mask and encoding.  A cell: the verdict, the floor of error_rel, and w where explicit weights
# are known.     awk -f results.awk -f normalisers.awk RESULTS/results.csv
$at["subset"] != "all" {
    name = option("model.normaliser")
    detail = name == "linear" ? option("model.normaliser.divide") : \
             name == "stick-breaking" ? option("model.normaliser.remainder") : ""
    if (detail)
        name = name " (" detail ")"
    if (!(name in seen)) {
        seen[name] = 1
        row[rows++] = name
    }
    letter = $at["verdict"] == "impossible" ? "I" : $at["verdict"] == "reached" ? "R" : "N"
    floor = $at["floor_rel"]
    known = $at["witness"] == "known" ? "w" : "-"
    place = $at["target"] SUBSEP $at["subset"] SUBSEP name SUBSEP $at["mask"] SUBSEP $at["encoding"]
    if (place in cell && substr(cell[place], 1, 1) != letter)
        letter = "S"
    cell[place] = sprintf("%s %4s %s", letter, floor == 0 ? "0" : sprintf("%.2f", floor), known)
}
END {
    targets = split("gain position", target, " ")
    subsets = split("identical generic", subset, " ")
    masks = split("causal none", mask, " ")
    encodings = split("none toeplitz rope alibi", encoding, " ")
    print "I impossible  R reached by all seeds  S by some  N by none; the floor of error_rel; w: explicit weights are known"
    for (t = 1; t <= targets; t++)
        for (s = 1; s <= subsets; s++) {
            printf "\n%-24s", target[t] ", " subset[s]
            for (m = 1; m <= masks; m++)
                printf " | %-38s", mask[m] == "none" ? "no mask" : mask[m]
            printf "\n%-24s", "normaliser"
            for (m = 1; m <= masks; m++) {
                printf " |"
                for (e = 1; e <= encodings; e++)
                    printf " %-9s", encoding[e]
            }
            printf "\n"
            for (r = 0; r < rows; r++) {
                printf "%-24s", row[r]
                for (m = 1; m <= masks; m++) {
                    printf " |"
                    for (e = 1; e <= encodings; e++)
                        printf " %-9s", cell[target[t], subset[s], row[r], mask[m], encoding[e]]
                }
                printf "\n"
            }
        }
}
