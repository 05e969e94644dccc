#!/usr/bin/env python3
"""What the atlas shows of its rows.

    atlas.py rows BOUND.csv... [--trained RESULTS.csv...] --csv ATLAS.csv
    atlas.py cells ATLAS.csv      x y colour text, for atlas.gnuplot
    atlas.py page ATLAS.csv PAGE.md      the largest floor of each family, between the lines <!-- atlas --> of the page

BOUND.csv: of `urpe-probe bound experiments/atlas.yaml --out DIR`, whole or in parts (--set model.encoding=[..]).
ATLAS.csv has a line for each class and target: floors at the training length by pattern (floor_rel, or 1 -
accuracy_ceiling of tokens), that of identical inputs of all lengths together, the largest depth floor, a letter of
`proof` for each pattern (I impossible, B bounded, P possible, O open; - no such rows), the error of explicit weights
where some are known, and the mean error of trained networks.  Exit status 1 where two rows contradict each other."""
import argparse
import csv
import sys
from collections import defaultdict

PATTERNS = ("identical", "prefix", "periodic", "palindrome", "generic", "lookahead")
CLASS = ("encoding", "attention", "normaliser", "mask", "target", "length", "layers", "seed")
ONE = ("16", "2", "0")  # of the battery: length, layers, seed
TOLERANCE = 0.1


def axis(row, name, otherwise):
    for part in row["axes"].split(" "):
        if part.startswith(name + "="):
            return part[len(name) + 1:]
    return otherwise


def trained_length(row):
    return axis(row, "space.length", "16")


def key_of(row):
    bos = axis(row, "model.prefix", "none") == "bos"
    return (row["encoding"], row["attention"], axis(row, "model.normaliser", "softmax"),
            row["mask"] + "+bos" if bos else row["mask"], row["target"],
            trained_length(row), row["layers"], row["seed"])


def number(text):
    return float(text) if text else None


def error(row, prefix):
    """Relative error, or the share of wrong labels; a constant target's own scale where it has no other."""
    if prefix == "witness":
        labels, relative, absolute = row["witness_accuracy"], row["witness_rel"], row["witness_rms"]
    else:
        labels, relative, absolute = row["accuracy"], row["error_rel"], row["error_rms"]
    if labels:
        return 1 - float(labels)
    return number(relative or absolute)


def floor(row, depth=""):
    ceiling = row[depth + "accuracy_ceiling"]
    if ceiling:
        return 1 - float(ceiling)
    return number(row[depth + "floor_rel"] or row[depth + "floor_rms"]) or 0


def shown(value):
    return "" if value is None else "0" if value == 0 else f"{value:.4g}" if value >= 1e-3 else f"{value:.1e}"


def read(paths):
    for path in paths:
        with open(path, newline="") as file:
            yield from csv.DictReader(file)


class Entry:
    def __init__(self):
        self.floor, self.proof, self.depth, self.across = {}, {}, 0.0, None
        self.witness, self.known, self.errors = None, False, defaultdict(list)


def certified(paths, wrong):
    atlas = defaultdict(Entry)
    for row in read(paths):
        e, subset = atlas[key_of(row)], row["subset"]
        if row["length"] == "all" and subset == "identical":
            e.across = floor(row)
        if row["length"] != trained_length(row) or subset == "all":
            continue
        e.floor[subset], e.proof[subset] = floor(row), row["proof"][0].upper()
        if floor(row, "depth_") > floor(row):
            e.depth = max(e.depth, floor(row, "depth_"))
        if row["witness"] == "known":
            off = error(row, "witness")
            e.known, e.witness = True, max(e.witness or 0, off)
            if off > floor(row) + TOLERANCE or off < floor(row) - 1e-6:
                wrong.append(f"explicit weights {off:g} beside floor {floor(row):g}: {key_of(row)} {subset}")
    return atlas


def trained(paths, atlas, wrong):
    for row in read(paths):
        if row["status"] != "ok":
            continue
        off, least = error(row, "error"), floor(row)
        leak = (number(row["leak_rms"]) or 0) / max((number(row["error_rms"]) or 1) / max(off, 1e-9), 1e-9)
        if off < least - leak - 1e-5 and row["accuracy_grouped"] == "":
            wrong.append(f"error {off:g} below floor {least:g}: {key_of(row)} {row['subset']} {row['length']}")
        if row["verdict"] == "reached" and row["proof"] == "impossible":
            wrong.append(f"reached and impossible: {key_of(row)} {row['subset']} {row['length']}")
        if row["length"] == "16" and row["subset"] in PATTERNS:
            e = atlas[key_of(row)[:-1] + ("0",)]  # certified on the samples of one seed
            e.errors[row["subset"]].append(off)
            if row["verdict"] == "reached" and e.proof.get(row["subset"]) == "I":
                wrong.append(f"reached though certified impossible: {key_of(row)} {row['subset']}")


def mean(values):
    return sum(values) / len(values)


def write(atlas, path):
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(CLASS + PATTERNS + ("identical_lengths", "depth", "proof", "witness", "seeds", "trained", "reached"))
        for key, e in atlas.items():
            seeds = max(map(len, e.errors.values()), default=0)
            own = [e.errors[p] for p in PATTERNS[:5] if e.errors[p]]
            out.writerow(key + tuple(shown(e.floor.get(p)) for p in PATTERNS) + (
                shown(e.across), shown(e.depth), "".join(e.proof.get(p, "-") for p in PATTERNS),
                shown(e.witness), seeds or "", shown(max(map(mean, own))) if own else "",
                sum(all(o[k] <= TOLERANCE for o in own) for k in range(seeds)) if own else ""))


# ---- the figure ----

# What it shows: groups of encodings, panels of classes, families of targets.
ENCODINGS = (("nothing", ("none",)), ("distances", ("alibi", "kerple-log", "kerple-power", "sandwich", "fire")),
             ("offsets", ("toeplitz", "t5", "transformer-xl", "deberta", "rope", "xpos", "shaw")),
             ("places", ("cope", "fox", "tupe", "learned", "sinusoidal")))
PANELS = (("none", "rpe", "softmax"), ("none", "rpe", "sink"), ("none", "urpe", "softmax"),
          ("causal", "rpe", "softmax"), ("causal", "rpe", "sink"), ("causal", "urpe", "softmax"),
          ("causal+bos", "rpe", "softmax"))
FAMILIES = {"position": ("position", "gain", "pi"), "mixing": ("prefix_sum", "prefix_mean"),
            "look-behind": ("shift", "moving_max", "token_shift"), "counting": ("histogram", "prefix_parity"),
            "selection": ("reverse", "etp", "induction"), "controls": ("mean", "identity")}
AHEAD = ("histogram", "reverse", "etp", "mean")  # what a causal mask hides, no class can
COLOURS = {"impossible": 0xD55E00, "in part": 0xF3B48A, "too shallow": 0xE69F00, "bounded": 0xF0E442,
           "known": 0x0072B2, "possible": 0x9AD1F2, "open": 0xCCCCCC}
SIGNS = {"impossible": "\u00d7", "too shallow": "\u25bd", "bounded": "\u2248", "known": "\u25c6", "possible": "", "open": "?"}


def rows_of(atlas, encoding, panel, family):
    mask, attention, normaliser = panel
    return [r for t in FAMILIES[family] if mask == "none" or t not in AHEAD
            for r in [atlas.get((encoding, attention, normaliser, mask, t) + ONE)] if r]


def largest_floor(row):
    return max(float(row[p] or 0) for p in PATTERNS[:5])


def state(rows):
    """Of a family: the worst of its targets, over the patterns that all masks show."""
    proofs = [r["proof"][:5] for r in rows]
    hit = sum("I" in p for p in proofs)
    if hit:
        return ("impossible", SIGNS["impossible"]) if hit == len(rows) else ("in part", f"{hit}/{len(rows)}")
    if any(float(r["depth"] or 0) > TOLERANCE for r in rows):
        name = "too shallow"
    elif any("B" in p for p in proofs):
        name = "bounded"
    elif all(r["witness"] for r in rows):
        name = "known"
    else:
        name = "possible" if all(set(p) <= {"P", "-"} for p in proofs) else "open"
    return name, SIGNS[name]


def learned(rows):
    """Of those targets that were trained: a dot where all seeds reached all, a ring where not."""
    own = [r for r in rows if r["seeds"]]
    return "" if not own else "\u25cf" if all(r["reached"] == r["seeds"] for r in own) else "\u25cb"


def load(path):
    return {tuple(r[k] for k in CLASS): r for r in read([path])}


def cells(atlas):
    y = 0
    for _, encodings in ENCODINGS:
        for encoding in encodings:
            for p, panel in enumerate(PANELS):
                for f, family in enumerate(FAMILIES):
                    rows = rows_of(atlas, encoding, panel, family)
                    if rows:
                        name, sign = state(rows)
                        print(p * 6.5 + f, -y, COLOURS[name], f'"{sign}{learned(rows)}"',
                              0xFFFFFF if name in ("known", "impossible") else 0)
            y += 1
        y += 0.3


def tables(atlas):
    for mask, attention, normaliser in PANELS:
        yield f"**{'no mask' if mask == 'none' else mask.replace('+bos', ', BOS')}: {normaliser}{' and C' if attention == 'urpe' else ''}**"
        yield ""
        yield f"| encoding | {' | '.join(FAMILIES)} |"
        yield "|---|" + "---|" * len(FAMILIES)
        for encoding in (e for _, group in ENCODINGS for e in group):
            rows = [rows_of(atlas, encoding, (mask, attention, normaliser), f) for f in FAMILIES]
            if any(rows):
                yield f"| {encoding} | {' | '.join(shown(max(map(largest_floor, r))) for r in rows)} |"
        yield ""


def renew(atlas, path):
    with open(path) as file:
        before, _, behind = file.read().split("<!-- atlas -->\n")
    with open(path, "w") as file:
        file.write("<!-- atlas -->\n".join((before, "\n".join(tables(atlas)) + "\n", behind)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("rows", "cells", "page"))
    parser.add_argument("files", nargs="+")
    parser.add_argument("--trained", nargs="*", default=[])
    parser.add_argument("--csv")
    a = parser.parse_args()
    if a.what != "rows":
        atlas = load(a.files[0])
        cells(atlas) if a.what == "cells" else renew(atlas, a.files[1])
        return 0
    wrong = []
    atlas = certified(a.files, wrong)
    trained(a.trained, atlas, wrong)
    write(atlas, a.csv)
    print(*wrong, f"{len(atlas)} lines, {len(wrong)} contradictions", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
