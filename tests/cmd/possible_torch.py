#!/usr/bin/python3
"""For possible_torch.bats: each `possible` of a spec, by PyTorch from the weights that the program drew.

    possible_torch.py PROGRAM SPEC SPEC    in an empty folder; for encodings by turns

`bound --networks` writes the networks that were tried, and samples with their groups.  Here the same weights go
through the forward pass of tests/model/parity, which is written from the papers, in double.  Asked is what prove.h
claims of a subset that is `possible`: outputs of one network differ between all groups of it and all others, by MARGIN
times what rounding does within groups, and by APART of the largest output; and, whatever the verdict, that every
network gives the members of a group equal outputs.  To see that this can fail, two groups are taken for one, and one
of several members for two, in each set."""
import csv
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import torch

PARITY = Path(__file__).resolve().parent.parent / "model/parity"
sys.path += [str(PARITY), str(PARITY.parents[1] / "witness")]
import encodings_torch as e  # noqa: E402
import generate as g  # noqa: E402
import weights_torch as wt  # noqa: E402
from witness_torch import read  # noqa: E402

MARGIN, APART, TOGETHER, OUTPUTS, HEADS, TRAINED = 2.0 ** 10, 2.0 ** -25, 2.0 ** -37, 4, 2, 6
ENCODINGS = {
    "none": e.Encoding, "sinusoidal": e.Sinusoidal, "learned": e.Learned, "toeplitz": e.Toeplitz, "t5": e.T5,
    "alibi": e.Alibi, "{kind: shaw, k: 2}": e.Shaw, "{kind: shaw, k: 2, value: false}": e.ShawKeys,
    "transformer-xl": e.TransformerXl, "{kind: deberta, k: 3}": e.Deberta, "rope": e.Rope, "kerple-log": e.KerpleLog,
    "kerple-power": e.KerplePower, "sandwich": e.Sandwich, "fire": e.Fire, "tupe": e.Tupe, "formula": e.Formula,
    "xpos": e.Xpos, "{kind: cope, positions: 4}": e.Cope, "fox": e.Fox}
NORMALISERS = {"softmax": wt.Normaliser, "sink": wt.Sink, "sigmoid": wt.Sigmoid, "ssmax": wt.Ssmax}
MASKS = {"none": wt.NONE, "causal": wt.CAUSAL, "window": wt.window(3)}
AT_PLACES = ("encoding.position",)  # rows are positions, the first first


def axis(row, key):
    return re.search(rf"model\.{key}=(\w+)", row["axes"])[1]


def at_length(w, n, trained, encoding):
    """Tables over offsets have what shorter samples need in their middle."""
    def cut(name, value):
        if name.endswith("urpe.c") or (name.endswith("encoding.bias") and isinstance(encoding, e.Toeplitz)):
            return value[:, trained - n:trained + n - 1]
        return value[:n] if name in AT_PLACES and isinstance(encoding, (e.Learned, e.Tupe)) else value
    return {name: cut(name, value) for name, value in w.items()}


def run(kind, row, weights, x):
    """Outputs (samples, n, at most OUTPUTS) of samples of one length."""
    before = int(axis(row, "prefix") == "bos")
    n, mask = x.shape[1] + before, MASKS[row["mask"]]
    w = {name: value.double() for name, value in weights.items()}
    layers = max(int(name.split(".")[1]) for name in w if name.startswith("layers.")) + 1
    c = {"layers": layers, "heads": HEADS, "width": w["embed.weight"].shape[0], "n": n, "before": before, "bucketed": 0}
    encoding = kind(c)
    case = {"attention": g.URPE if row["attention"] == "urpe" else g.RPE, "mask": g.CAUSAL if mask.past else g.BOTH,
            "norm": g.NORM_PRE, "activation": g.GELU, "normaliser": NORMALISERS[axis(row, "normaliser")](),
            "seen": mask.matrix(c)}
    with torch.no_grad():
        return g.model(c, encoding, case, at_length(w, n, TRAINED + before, encoding), x)[..., :OUTPUTS]


def outputs(kind, row, given, heads):
    """(rows, outputs of all heads)"""
    first, out = given["first"].tolist(), []
    for weights in heads:
        parts = []
        for n in sorted({b - a for a, b in zip(first, first[1:])}):
            rows = [list(range(a, b)) for a, b in zip(first, first[1:]) if b - a == n]
            parts.append((rows, run(kind, row, weights, given["x"].double()[torch.tensor(rows)])))
        y = torch.empty(first[-1], parts[0][1].shape[-1])
        for rows, values in parts:
            y[torch.tensor(rows)] = values
        out.append(y)
    return torch.cat(out, -1)


def near(y, group):
    """Groups that are not told from another, and how far members of a group are apart, of the largest output."""
    groups = int(group.max()) + 1
    index = group[:, None].expand(-1, y.shape[1])
    least = torch.full((groups, y.shape[1]), torch.inf).scatter_reduce(0, index, y, "amin")
    spread = (torch.full_like(least, -torch.inf).scatter_reduce(0, index, y, "amax") - least).max().item()
    largest = y.abs().max().item()
    by = max(MARGIN * spread, APART * largest)
    apart = (least[:, None] - least[None]).abs().amax(-1) + torch.eye(groups) * by
    return set((apart < by).any(-1).nonzero()[:, 0].tolist()), spread / largest


def told_apart(results, members):
    return any(not found & members for found, _ in results)


def spoiled(ys, group):
    """What is said where two groups are taken for one, and where one of several is taken for two."""
    sizes = Counter(group.tolist())
    joined = torch.where(group == max(sizes), min(sizes), group)
    together = all(near(y, joined)[1] > TOGETHER for y in ys) or len(sizes) == 1
    large = sizes.most_common(1)[0][0]
    split = group.clone()
    split[(group == large).nonzero()[0, 0]] = max(sizes) + 1
    apart = sizes[large] == 1 or not told_apart([near(y, split) for y in ys], {large})
    return together and apart


def check_set(kind, row, path, subsets, count):
    """subsets: name -> proof.  Yields what is wrong."""
    given = read(path)
    group, tried = given["group"].long(), defaultdict(list)
    for name in sorted(path.parent.glob(f"{path.stem}-*")):
        tried[int(name.stem.split("-")[-2])].append(read(name))
    ys = [outputs(kind, row, given, heads) for _, heads in sorted(tried.items())]
    results = [near(y, group) for y in ys]
    count["networks"] += len(ys)
    for _, spread in results:
        if not spread <= TOGETHER:
            yield f"members of a group are {spread} of the largest output apart"
    if not spoiled(ys, group):
        yield "other groups would do as well"
    for name, proof in subsets.items():
        if proof == "possible":
            count["possible"] += 1
            count[f"possible with {axis(row, 'normaliser')}"] += 1
            if not told_apart(results, set(group[given[name].bool()].tolist())):
                yield f"{name}: no network tells all groups apart"


def check(program, spec, encoding, kind, count):
    folder = Path(re.sub(r"\W+", "-", encoding).strip("-"))
    masks = [] if not kind.causal_only else ["--set", "model.mask=[causal, {kind: window, past: 3}]"]
    table = subprocess.run([program, "bound", spec, "--no-claims", "--format", "csv", "--networks", folder, "--set",
                            f"model.encoding={encoding}", *masks], check=True, stdout=subprocess.PIPE, text=True).stdout
    cells = defaultdict(list)
    for row in csv.DictReader(table.splitlines()):
        cells[row["cell"]].append(row)
    for cell, rows in cells.items():
        count["cells"] += 1
        of_set = defaultdict(dict)
        for row in rows:
            own = row["subset"] in ("lookahead", "beyond")
            of_set[f"{row['length']}-{row['subset'] if own else 'all'}"][row["subset"]] = row["proof"]
        for name, subsets in of_set.items():
            path = folder / cell / f"{name}.safetensors"
            if "possible" in subsets.values() or path.exists():
                for fault in check_set(kind, rows[0], path, subsets, count):
                    yield f"{encoding} {rows[0]['axes']} {name}: {fault}"


def main(program, *specs):
    count = Counter()
    faults = [fault for k, (encoding, kind) in enumerate(ENCODINGS.items())
              for fault in check(program, specs[k % 2], encoding, kind, count)]
    print(*(f"{what}: {number}" for what, number in count.items()), sep="\n")
    if count["cells"] < 200 or count["possible"] < 1000:
        faults.append("too few are possible for a test")
    sys.exit("\n".join(faults[:20] + [f"{len(faults)} faults"]) if faults else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
