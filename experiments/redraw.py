#!/usr/bin/env python3
"""Puts the errors of a summary into a folder of cells that were not trained.

    redraw.py RESULTS SUMMARY.csv

RESULTS is what `run SPEC --set train.steps=0` made of the summary's spec: its cells have the floors,
explicit weights and sizes of the trained ones.  Their errors are replaced by numbers, one per seed,
that have the mean and the deviation of the summary, as have their differences between rpe and urpe
where it holds these; what it does not hold is left empty.  Figures about lines show nothing else, so `report` draws them as they were;
curves, positions and tables are those of untrained cells.
"""
import csv
import math
import sys


def tokens(axes):
    return frozenset(axes.replace(", ", ",").replace('"', "").split())


def key_of(axes, row):
    """What a group of the summary and rows of its seeds share; the steps of training are not."""
    kept = frozenset(t for t in axes if not t.startswith("train.steps="))
    columns = ("target", "encoding", "attention", "length", "subset", "params")
    return kept, tuple(row[c] for c in columns)


def read_summary(path):
    """{(axes, columns): {figure: row}} of the groups, and the same of differences."""
    groups, pairs = {}, {}
    for row in csv.DictReader(open(path)):
        pair = "-" in row["attention"]
        key = key_of(tokens(row["axes"]), dict(row, attention=row["attention"].split("-")[-1]))
        (pairs if pair else groups).setdefault(key, {})[row["figure"]] = row
    return groups, pairs


def find(groups, axes, row):
    """The group of a row: old summaries leave out axes at their default."""
    kept, columns = key_of(axes, row)
    fitting = [k for k in groups if k[1] == columns and k[0] <= kept]
    return max(fitting, key=lambda k: len(k[0])) if fitting else None


def spread(n):
    """Two orthogonal directions of n numbers, each of mean 0 and deviation 1, as far as n allows."""
    first = [2 * k - (n - 1) for k in range(n)]
    second = [x * x - sum(y * y for y in first) / n for x in first]

    def unit(v):
        size = math.sqrt(sum(x * x for x in v) / (n - 1)) if n > 1 else 0
        return [x / size if size > 1e-9 else 0.0 for x in v]
    return unit(first), unit(second)


def values(figure, share):
    """One value per seed; share: how much of the deviation goes with that of the other of a pair."""
    n, mean, sd = int(figure["seeds"]), float(figure["mean"]), float(figure["sd"] or 0)
    first, second = spread(n)
    rest = math.sqrt(1 - share * share)
    return [mean + sd * (share * a + rest * b) for a, b in zip(first, second)]


def partner(groups, key):
    """The group that the summary compared this one with."""
    def rest(axes):
        return {t for t in axes if not t.startswith(("model.attention=", "model.c"))}
    for other in groups:
        if rest(other[0]) == rest(key[0]) and other[1][2] != key[1][2] and \
                other[1][:2] == key[1][:2] and other[1][3:5] == key[1][3:5]:
            return groups[other]
    return None


def share_of(groups, pairs, key, name):
    other = partner(groups, key) if key in pairs and name in pairs[key] else None
    if not other or name not in other:
        return 1.0
    a, b, d = (float(x[name]["sd"] or 0) for x in (other, groups[key], pairs[key]))
    share = max(-1.0, min(1.0, (a * a + b * b - d * d) / (2 * a * b))) if a * b else 1.0
    return share if int(pairs[key][name]["seeds"]) > 2 else math.copysign(1, share)


def read_cells(results):
    """Rows of each cell, cells of lower seeds first, and the axes of each."""
    axes = {r["cell"]: tokens(r["axes"]) for r in csv.DictReader(open(f"{results}/results.csv"))}
    rows = {c: list(csv.DictReader(open(f"{results}/cells/{c}/row.csv"))) for c in axes}
    return sorted(rows.items(), key=lambda item: int(item[1][0]["seed"])), axes


def main():
    results, summary = sys.argv[1:]
    groups, pairs = read_summary(summary)
    cells, axes = read_cells(results)
    seeds, floors = {}, {}
    for cell, rows in cells:
        for row in rows:
            key = find(groups, axes[cell], row)
            place = seeds[key] = seeds.get(key, -1) + 1
            row.update(dict.fromkeys(("error_rms", "error_rel", "accuracy", "bits_per_byte"), ""))
            for name, figure in groups.get(key, {}).items():
                if name.startswith("floor") or name.endswith("ceiling"):
                    floors.setdefault((key, name), []).append(float(row[name]))
                elif place < int(figure["seeds"]):
                    row[name] = f"{values(figure, share_of(groups, pairs, key, name))[place]:.12g}"
        with open(f"{results}/cells/{cell}/row.csv", "w", newline="") as file:
            out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            out.writeheader()
            out.writerows(rows)
    for (key, name), found in floors.items():  # they were computed anew: the same program
        if not math.isclose(sum(found) / len(found), float(groups[key][name]["mean"]), rel_tol=1e-6,
                            abs_tol=1e-9):
            sys.exit(f"{summary}: {name} of {key[1]} is {sum(found) / len(found)} now")


if __name__ == "__main__":
    main()
