#!/usr/bin/env python3
"""What is possible, by networks written here from the formulas and by nothing of the program's.

    help_possible.py SAMPLES BOUND.csv ENCODING ATTENTION MASK NORMALISER

SAMPLES is a folder that `samples` wrote, BOUND.csv what `bound` says of the same cell.  Rows that a random network
maps to equal outputs are taken together; what the best answer per group leaves is the floor of that
partition.  It is never below the class's, and with weights of which none is special it is that floor: so floor_rel
must be the same in both, `possible` where it is 0, and `impossible` where it is above the tolerance."""
import cmath
import csv
import json
import math
import random
import struct
import sys
from pathlib import Path

WIDTH, HEADS, LAYERS, OUTPUTS, SAME, TOLERANCE = 8, 2, 3, 3, 1e-9, 0.1


def tensors(path):
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    head, body = json.loads(data[8:8 + size]), data[8 + size:]
    codes = {"F32": "f", "F64": "d", "I32": "i", "I64": "q", "U8": "B"}
    out = {}
    for name, t in head.items():
        if name != "__metadata__":
            start, end = t["data_offsets"]
            code = codes[t["dtype"]]
            out[name] = t["shape"], struct.unpack(f"<{(end - start) // struct.calcsize(code)}{code}", body[start:end])
    return out, head.get("__metadata__", {})


class Network:
    def __init__(self, rng, encoding, attention, mask, normaliser, n, channels):
        def matrix(rows, columns):
            return [[rng.gauss(0, columns ** -0.5) for _ in range(columns)] for _ in range(rows)]
        self.mask, self.encoding, self.normaliser, self.n = mask, encoding, normaliser, n
        self.embed, self.head = matrix(WIDTH, channels), matrix(OUTPUTS, WIDTH)
        self.layers = [{"q": [matrix(4, WIDTH) for _ in range(HEADS)], "k": [matrix(4, WIDTH) for _ in range(HEADS)],
                        "v": [matrix(WIDTH, WIDTH) for _ in range(HEADS)], "in": matrix(16, WIDTH),
                        "bias": [rng.gauss(0, 1) for _ in range(16)], "out": matrix(WIDTH, 16),
                        "b": [[rng.gauss(0, 1) for _ in range(2 * n - 1)] for _ in range(HEADS)],
                        "sink": [rng.gauss(0, 1) for _ in range(HEADS)],
                        "r": [(rng.uniform(0.2, 2), rng.uniform(0.2, 2)) for _ in range(HEADS)],
                        "c": [[rng.gauss(1, 1) if attention == "urpe" else 1.0 for _ in range(2 * n - 1)]
                              for _ in range(HEADS)]} for _ in range(LAYERS)]

    def bias(self, layer, head, d):
        if self.encoding == "toeplitz":
            return layer["b"][head][d + self.n - 1]
        if self.encoding == "alibi":
            return -(2 ** (-8 * (head + 1) / HEADS)) * abs(d)
        if self.encoding == "kerple-log":
            a, b = layer["r"][head]
            return -a * math.log(1 + b * abs(d))
        return 0.0

    def turned(self, x, i):
        """RoPE: pairs of channels, as complex numbers, turn by i / 10000^(2m/4)."""
        if self.encoding != "rope":
            return x
        turned = [complex(x[2 * m], x[2 * m + 1]) * cmath.exp(1j * i / 10000 ** (m / 2)) for m in range(2)]
        return [part for z in turned for part in (z.real, z.imag)]

    def shares(self, layer, head, scores):
        if self.normaliser == "sigmoid":
            return [1 / (1 + math.exp(-s)) for s in scores]
        beside = [layer["sink"][head]] if self.normaliser == "sink" else []
        top = max(scores + beside)
        weights = [math.exp(s - top) for s in scores + beside]
        return [w / math.fsum(weights) for w in weights[:len(scores)]]

    def attend(self, layer, h, i):
        out = [0.0] * WIDTH
        for head in range(HEADS):
            q = self.turned(apply(layer["q"][head], h[i]), i)
            first = max(i - 2, 0) if self.mask == "window" else 0
            seen = range(first, len(h) if self.mask == "none" else i + 1)
            scores = [sum(map(lambda a, b: a * b, q, self.turned(apply(layer["k"][head], h[j]), j))) / 2
                      + self.bias(layer, head, j - i) for j in seen]
            for j, w in zip(seen, self.shares(layer, head, scores)):
                share = w * layer["c"][head][j - i + self.n - 1]
                out = [o + share * v for o, v in zip(out, apply(layer["v"][head], h[j]))]
        return out

    def __call__(self, x):
        h = [apply(self.embed, token) for token in x]
        for layer in self.layers:
            h = [[a + b for a, b in zip(state, self.attend(layer, h, i))] for i, state in enumerate(h)]
            for i, state in enumerate(h):
                inner = [math.tanh(z + b) for z, b in zip(apply(layer["in"], state), layer["bias"])]
                h[i] = [a + b for a, b in zip(state, apply(layer["out"], inner))]
        return [apply(self.head, state) for state in h]


def apply(matrix, x):
    return [sum(a * b for a, b in zip(row, x)) for row in matrix]


def partition(outputs):
    """Rows whose outputs are the same."""
    groups = []
    for row in sorted(range(len(outputs)), key=lambda r: outputs[r]):
        near = [g for g in groups[-8:] if max(abs(a - b) for a, b in zip(outputs[g[0]], outputs[row])) < SAME]
        if near:
            near[0].append(row)
        else:
            groups.append([row])
    return groups


def floor_rel(groups, y, rows):
    """Root of what the mean of each group leaves, over that of the mean of all."""
    def left(parts):
        return sum((y[r][c] - sum(y[m][c] for m in part) / len(part)) ** 2
                   for part in parts for r in part for c in range(len(y[0])))
    kept = [[r for r in g if r in rows] for g in groups]
    return math.sqrt(left(kept) / left([list(rows)]))


def main(folder, bound, encoding, attention, mask, normaliser):
    given, _ = tensors(next(Path(folder).glob("inputs-*")))
    targets, names = tensors(next(Path(folder).glob("targets-*")))
    (samples, n, channels), x = given["x"]
    y = targets["y"][1]
    rows = [(s, i) for s in range(samples) for i in range(n)]
    at = lambda values, s, i: values[(s * n + i) * channels:(s * n + i + 1) * channels]  # noqa: E731
    y = [at(y, s, i) for s, i in rows]
    subset = targets["subset"][1]
    network = Network(random.Random(7), encoding, attention, mask, normaliser, n, channels)
    outputs = [out for s in range(samples) for out in network([at(x, s, i) for i in range(n)])]
    groups = partition(outputs)
    lines = {row["subset"]: row for row in csv.DictReader(open(bound))}
    parts = {"all": set(range(len(rows)))}
    for k in sorted(set(subset)):
        members = {r for r, (s, _) in enumerate(rows) if subset[s] == k}
        parts[names[str(k)]] = members
    for name, members in parts.items():
        row, here = lines[name], floor_rel(groups, y, members)
        there = float(row["floor_rel"])
        assert abs(here - there) < 1e-6, (name, here, there)
        proof = "impossible" if here > TOLERANCE else "bounded" if here > 1e-9 else "possible"
        assert row["proof"] == proof, (name, here, row["proof"])
        print(encoding, attention, mask, normaliser, name, row["proof"], f"{here:.6f}")


main(*sys.argv[1:])
