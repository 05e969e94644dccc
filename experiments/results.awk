# results.csv by column, $at["verdict"], and by key of an axis, option("model.mask"); in front of a page's own script.
BEGIN { FS = "," }
function option(name,    i, n, part) {
    n = split($at["axes"], part, " ")
    for (i = 1; i <= n; i++)
        if (index(part[i], name "=") == 1)
            return substr(part[i], length(name) + 2)
    return ""
}
NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
