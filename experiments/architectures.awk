# One table for each target from results.csv: what each architecture makes of equal tokens and of others, alone and
# with a token in front, in means over seeds.     awk -f results.awk -f architectures.awk RESULTS/results.csv
function mean(sum, cells) { return cells == 0 ? "" : sum / cells == 0 ? "0" : sprintf("%.3f", sum / cells) }
$at["subset"] == "identical" || $at["subset"] == "generic" {
    name = option("model.preset")
    if (!(name in seen)) {
        seen[name] = 1
        row[rows++] = name
    }
    key = $at["target"] SUBSEP $at["subset"] SUBSEP name SUBSEP option("model.prefix")
    label = $at["accuracy"] != ""
    error[key] += label ? 1 - $at["accuracy"] : $at["error_rel"]
    floor[key] += label ? 1 - $at["accuracy_ceiling"] : $at["floor_rel"]
    impossible[key] += $at["proof"] == "impossible"
    reached[key] += $at["verdict"] == "reached"
    cells[key]++
}
function verdict(key) {
    if (impossible[key] == cells[key])
        return "impossible"
    return reached[key] == cells[key] ? "reached" : reached[key] + 0 " of " cells[key] " reached"
}
END {
    targets = split("gain position prefix_sum pi", target, " ")
    print "error (of pi: the share of wrong labels) and floor; verdicts are about identical inputs"
    printf "%-17s%27s    %s\n", "", "alone", "with a token in front"
    printf "%-17s%9s %7s %9s  %9s %9s  %s\n", "preset", "identical", "floor", "generic", "identical", "generic", "verdict"
    for (t = 1; t <= targets; t++) {
        print target[t]
        for (r = 0; r < rows; r++) {
            alone = row[r] SUBSEP "none"
            front = row[r] SUBSEP "bos"
            same = target[t] SUBSEP "identical" SUBSEP
            other = target[t] SUBSEP "generic" SUBSEP
            printf " %-16s%9s %7s %9s  %9s %9s  %s\n", row[r], mean(error[same alone], cells[same alone]),
                mean(floor[same alone], cells[same alone]), mean(error[other alone], cells[other alone]),
                mean(error[same front], cells[same front]), mean(error[other front], cells[other front]),
                verdict(same alone) ", " verdict(same front)
        }
    }
}
