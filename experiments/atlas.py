#!/usr/bin/env python3
"""What the atlas shows of its rows.

    atlas.py rows BOUND.csv... --numerics N --csv ATLAS.csv
    atlas.py trained RESULTS.csv... --beside ATLAS.csv --csv ATLAS-TRAINED.csv
    atlas.py cells ATLAS.csv ATLAS-TRAINED.csv    x y colour text, for atlas.gnuplot; the second need not be there
    atlas.py page ATLAS.csv ATLAS-TRAINED.csv PAGE.md    what stands between the lines <!-- atlas --> of the page, the
        largest floor of each family, and between the lines <!-- trained -->, what training found

BOUND.csv: of `urpe-probe bound experiments/atlas.yaml --out DIR`, whole or in parts (--set model.encoding=[..]); made by
a program of numerics N.  ATLAS.csv has a line for each class and target: floors at the training length by pattern
(floor_rel, or 1 - accuracy_ceiling of tokens), that of identical inputs of all lengths together, the largest depth floor,
a letter of `proof` for each pattern (I impossible, B bounded, P possible, O open; - no such rows), the error of explicit
weights where some are known, and what made it.  ATLAS-TRAINED.csv has a line for each class, target and pattern: errors
over the seeds, floors, how many seeds reached it, and the verdict.  Exit status 1 where two rows contradict each other."""
import argparse
import csv
import os
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
        self.witness, self.version = None, ""


def certified(paths, wrong):
    atlas = defaultdict(Entry)
    for row in read(paths):
        e, subset = atlas[key_of(row)], row["subset"]
        e.version = row["version"]
        if row["length"] == "all" and subset == "identical":
            e.across = floor(row)
        if row["length"] != trained_length(row) or subset == "all":
            continue
        e.floor[subset], e.proof[subset] = floor(row), row["proof"][0].upper()
        if floor(row, "depth_") > floor(row):
            e.depth = max(e.depth, floor(row, "depth_"))
        if row["witness"] == "known":
            off = error(row, "witness")
            e.witness = max(e.witness or 0, off)
            if off > floor(row) + TOLERANCE or off < floor(row) - 1e-6:
                wrong.append(f"explicit weights {off:g} beside floor {floor(row):g}: {key_of(row)} {subset}")
    return atlas


def write(atlas, numerics, path):
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(CLASS + PATTERNS + ("identical_lengths", "depth", "proof", "witness", "version", "numerics"))
        for key, e in atlas.items():
            out.writerow(key + tuple(shown(e.floor.get(p)) for p in PATTERNS) + (
                shown(e.across), shown(e.depth), "".join(e.proof.get(p, "-") for p in PATTERNS), shown(e.witness),
                e.version, numerics))


# ---- what was trained ----

TRAINED = CLASS[:-1] + ("subset", "seeds", "error", "least", "greatest", "floor", "depth_floor", "reached", "verdict",
                        "version")


def beats(row):
    """Whether an error is below its floor by more than rounding did (leak); of labels, by cross-entropy."""
    leak = {k: number(row[k]) or 0 for k in ("leak_rms", "leak_sup")}
    if row["accuracy"]:
        return number(row["cross_entropy"]) < number(row["cross_entropy_floor"]) - 2 * leak["leak_sup"] - 1e-5
    return number(row["error_rms"]) < number(row["floor_rms"]) - leak["leak_rms"] - 1e-5


def trained(paths, atlas, wrong):
    """Lines of ATLAS-TRAINED.csv; every length is held against its floor, the training's has lines."""
    lines = defaultdict(list)
    for row in read(paths):
        key = key_of(row)
        if row["status"] != "ok":
            wrong.append(f"{row['status']}: {key}")
            continue
        if beats(row):
            wrong.append(f"below its floor: {key} {row['subset']} {row['length']}")
        if error(row, "error") <= TOLERANCE < floor(row) and row["verdict"] != "by-rounding":
            wrong.append(f"reached and impossible: {key} {row['subset']} {row['length']}")
        if row["length"] == trained_length(row) and row["subset"] in PATTERNS:
            lines[key[:-1] + (row["subset"],)].append(row)
    for key, rows in lines.items():
        errors, least = [error(r, "error") for r in rows], min(map(floor, rows))
        beside = atlas.get(key[:-1] + ("0",))
        reached = sum(e <= TOLERANCE for e in errors)
        if reached and beside and beside["proof"][PATTERNS.index(key[-1])] == "I":
            wrong.append(f"reached though certified impossible: {key}")
        verdicts = {r["verdict"] for r in rows}
        verdict = verdicts.pop() if len(verdicts) == 1 else "not-reached"
        yield key + (len(rows), shown(mean(errors)), shown(min(errors)), shown(max(errors)), shown(least),
                     shown(min(floor(r, "depth_") for r in rows)), reached, verdict, rows[0]["version"])


def mean(values):
    return sum(values) / len(values)


def write_trained(lines, path):
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(TRAINED)
        out.writerows(sorted(lines))


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


ORDER = ("impossible", "by-rounding", "too-shallow", "not-reached", "reached")


def worst(lines):
    """Of the patterns of a class and target: the one furthest from being reached."""
    return min(lines, key=lambda r: (ORDER.index(r["verdict"]), -float(r["error"])))


def learned(rows, found):
    """Of a family's targets that were trained and are possible: a dot where all seeds reached all, a ring where not."""
    own = [worst(found[key]) for r in rows for key in [tuple(r[k] for k in CLASS[:-1])] if key in found]
    own = [r["verdict"] for r in own if r["verdict"] in ("not-reached", "reached")]
    return "" if not own else "\u25cf" if set(own) == {"reached"} else "\u25cb"


def load(path):
    return {tuple(r[k] for k in CLASS): r for r in read([path])}


def load_trained(path):
    """By class and target: its lines of inputs that all masks show, of targets that do not look ahead of theirs."""
    found = defaultdict(list)
    for r in read([path] if os.path.exists(path) else []):
        if r["subset"] in PATTERNS[:5] and (r["mask"] == "none" or r["target"] not in AHEAD):
            found[tuple(r[k] for k in CLASS[:-1])].append(r)
    return found


def cells(atlas, found):
    y = 0
    for _, encodings in ENCODINGS:
        for encoding in encodings:
            for p, panel in enumerate(PANELS):
                for f, family in enumerate(FAMILIES):
                    rows = rows_of(atlas, encoding, panel, family)
                    if rows:
                        name, sign = state(rows)
                        print(p * 6.5 + f, -y, COLOURS[name], f'"{sign}{learned(rows, found)}"',
                              0xFFFFFF if name in ("known", "impossible") else 0)
            y += 1
        y += 0.3


def panel_name(mask, attention, normaliser):
    where = "no mask" if mask == "none" else mask.replace("+bos", ", BOS")
    return f"**{where}: {normaliser}{' and C' if attention == 'urpe' else ''}**"


def table(panel, columns, line):
    yield from (panel_name(*panel), "", f"| encoding | {' | '.join(columns)} |", "|---|" + "---|" * len(columns))
    for encoding in (e for _, group in ENCODINGS for e in group):
        shown_cells = line(encoding)
        if any(shown_cells):
            yield f"| {encoding} | {' | '.join(shown_cells)} |"
    yield ""


def floor_tables(atlas):
    for panel in PANELS:
        def line(encoding):
            rows = [rows_of(atlas, encoding, panel, f) for f in FAMILIES]
            return [shown(max(map(largest_floor, r))) if r else "" for r in rows]
        yield from table(panel, FAMILIES, line)


SAID = {"not-reached": "not learned", "too-shallow": "too shallow", "by-rounding": "impossible"}


def trained_tables(found):
    """The mean error on the kind of input that is furthest from being reached, and its verdict."""
    targets = [t for ts in FAMILIES.values() for t in ts if any(key[4] == t for key in found)]
    for mask, attention, normaliser in PANELS:
        def line(encoding):
            for t in targets:
                lines = found.get((encoding, attention, normaliser, mask, t) + ONE[:2])
                if not lines:
                    yield ""
                    continue
                r = worst(lines)
                part = r["verdict"] == "not-reached" and r["reached"] != "0"
                yield f"{r['error']}, {r['reached'] + ' of ' + r['seeds'] if part else SAID.get(r['verdict'], r['verdict'])}"
        yield from table((mask, attention, normaliser), targets, lambda encoding: list(line(encoding)))


def trained_section(found):
    if not found:
        yield "Nothing has been trained yet."
        return
    count = defaultdict(int)
    for r in (worst(lines) for lines in found.values()):
        count[r["verdict"]] += 1
    lines = [r for of in found.values() for r in of]
    classes, seeds = len({key[:4] for key in found}), max(int(r["seeds"]) for r in lines)
    yield (f"[atlas-trained.csv](atlas-trained.csv): {classes} classes, {len({key[4] for key in found})} targets, {seeds} seed{'s' * (seeds > 1)}: of {len(found)} classes "
           f"and targets, without those that look ahead of a mask, {count['impossible']} are impossible on some kind of input, {count['too-shallow']} too shallow, "
           f"{count['reached']} reached by all seeds on all, {count['not-reached']} not learned by some.")
    yield ""
    yield from trained_tables(found)


def renew(path, mark, lines):
    with open(path) as file:
        before, _, behind = file.read().split(f"<!-- {mark} -->\n")
    with open(path, "w") as file:
        file.write(f"<!-- {mark} -->\n".join((before, "\n".join(lines).rstrip("\n") + "\n\n", behind)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("rows", "trained", "cells", "page"))
    parser.add_argument("files", nargs="+")
    for name in ("--numerics", "--beside", "--csv"):
        parser.add_argument(name)
    a, wrong = parser.parse_args(), []
    if a.what == "cells":
        cells(load(a.files[0]), load_trained(a.files[1]))
    elif a.what == "page":
        renew(a.files[2], "atlas", floor_tables(load(a.files[0])))
        renew(a.files[2], "trained", trained_section(load_trained(a.files[1])))
    elif a.what == "rows":
        write(certified(a.files, wrong), a.numerics, a.csv)
    else:
        write_trained(trained(a.files, load(a.beside), wrong), a.csv)
    if wrong:
        print(*wrong, f"{len(wrong)} contradictions", sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
