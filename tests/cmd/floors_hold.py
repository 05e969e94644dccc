#!/usr/bin/env python3
"""Checks that no row of a committed CSV has an error below its floor.

    floors_hold.py FILE.csv...

Looked at are results.csv, where error >= floor - leak, and summary.csv, where that of each seed makes it so of mean,
least and greatest; its rows have no leak, which trained cells keep below SLACK, and so have those of atlas-trained.csv.
Other CSVs have no errors beside floors.  Prints what does not hold and how much was looked at; exit status 1 where
something does not, or where nothing was looked at."""
import csv
import math
import sys
from collections import defaultdict

SLACK = 1e-5  # of floats, relative to 1
# Error, floor, and the factor between their units.
PAIRS = [(error, floor, 1.0) for kind in ("rms", "rel", "sup") for error in (f"error_{kind}", f"witness_{kind}")
         for floor in (f"floor_{kind}", f"depth_floor_{kind}") if not (error[0] == "w" and floor[0] == "d")]
PAIRS += [("cross_entropy", "cross_entropy_floor", 1.0), ("cross_entropy", "depth_cross_entropy_floor", 1.0),
          ("bits_per_byte", "cross_entropy_floor", 1 / math.log(2)), ("error_worst", "floor_worst", 1.0)]
PAIRS += [(error, floor, 1.0) for error in ("error", "least") for floor in ("floor", "depth_floor")]  # of the atlas
CEILINGS = [("accuracy", "accuracy_ceiling"), ("accuracy_grouped", "accuracy_ceiling"),
            ("accuracy_grouped", "depth_accuracy_ceiling"), ("accuracy", "depth_accuracy_ceiling"),
            ("accuracy_informative", "informative_ceiling"), ("witness_accuracy", "accuracy_ceiling")]
STATISTICS = ("mean", "least", "greatest")
BEHIND = {"figure", "seeds", "mean", "sd", "ci95_low", "ci95_high", "samples", "wilson95_low", "wilson95_high", "pair",
          "least", "greatest", "interval"}


def number(text):
    return float(text) if text else None


def below(values, slack):
    """Pairs of `values`, name -> number, that do not hold, and how many there are."""
    wrong, looked = [], 0
    for error, floor, factor, sign in [(*p, 1) for p in PAIRS] + [(*p, 1.0, -1) for p in CEILINGS]:
        a, b = values.get(error), values.get(floor)
        if a is None or b is None or math.isnan(a):
            continue
        looked += 1
        if sign * (a - factor * b) < -slack(error) - SLACK:
            wrong.append(f"{error} {a} against {floor} {b}")
    return wrong, looked


def of_results(rows):
    for row in rows:
        values = {name: number(row[name]) for name in {n for pair in PAIRS + CEILINGS for n in pair[:2]} if row.get(name)}
        leak = {"error_rms": number(row.get("leak_rms")) or 0, "error_sup": number(row.get("leak_sup")) or 0,
                "cross_entropy": 2 * (number(row.get("leak_sup")) or 0)}
        relative = values.get("floor_rms", 0) / values["floor_rel"] if values.get("floor_rel") else 1
        leak["error_rel"] = leak["error_rms"] / relative
        yield row, below(values, lambda error, leak=leak: leak.get(error, 0))


def of_summary(rows):
    """Figures of one group, length and subset stand beside each other."""
    groups = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if row.get("pair"):
            continue
        key = tuple(value for name, value in row.items() if name not in BEHIND)
        for s in STATISTICS:
            if row.get(s):
                groups[key][s][row["figure"]] = float(row[s])
    for key, statistics in groups.items():
        for s, values in statistics.items():
            yield (s, *key), below(values, lambda error: 0)


def main(paths):
    faults, looked, files = [], 0, 0
    for path in paths:
        rows = list(csv.DictReader(open(path, newline="")))
        judge = of_summary if "figure" in rows[0] else of_results
        here = 0
        for row, (wrong, pairs) in judge(rows):
            here += pairs
            name = row if isinstance(row, tuple) else (row.get("cell"), row.get("length"), row.get("subset"))
            faults += [f"{path}: {' '.join(filter(None, name))}: {what}" for what in wrong]
        looked, files = looked + here, files + (here > 0)
    print(*faults, f"{looked} errors beside floors in {files} files, {len(faults)} below", sep="\n")
    return 1 if faults or not looked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
