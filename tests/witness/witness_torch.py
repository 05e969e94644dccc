#!/usr/bin/python3
"""For witness_torch.bats: the weights of witnesses in PyTorch, apart from the program.

    witness_torch.py PROGRAM SPEC    in an empty folder

The program writes the witness of each case and runs it on random inputs and on equal tokens; the
forward pass here is Luo et al. 2022, eqs. 3 and 5, with residuals, ReLU and no norm, in double
whatever the cell's precision.  Encodings and attention are those of tests/model/parity, which are
written from the papers.  Exits with a message when the largest difference exceeds the tolerance
times the largest output, or when it does not although the weights were disturbed."""
import json
import os
import re
import struct
import subprocess
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../model/parity"))
import encodings_torch as e  # noqa: E402
import generate as g  # noqa: E402
import weights_torch as wt  # noqa: E402

TYPES = {"F32": torch.float32, "F64": torch.float64, "I32": torch.int32, "U8": torch.uint8}
ENCODINGS = {"toeplitz": e.Toeplitz, "alibi": e.Alibi}
SAMPLES = 6
TOLERANCE = {"double": 1e-12, "float": 1e-5}
CASES = {
    "gain": ("target=gain", "space.channels=3"),
    "affine": ("target=affine", "space.channels=3"),
    "prefix_sum": ("target=prefix_sum",),
    "reverse": ("target=reverse",),
    "gain under ALiBi": ("target=gain", "model.encoding=alibi"),
    "prefix_sum under a causal mask": ("target=prefix_sum", "model.mask=causal"),
    "pi": ("target={kind: pi, vocab: 5}",),
    "etp": ("target={kind: etp, vocab: 5}",),
}


def read(path):
    data = bytearray(open(path, "rb").read())
    length = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, t in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            first, last = (8 + length + offset for offset in t["data_offsets"])
            piece = torch.frombuffer(data[first:last], dtype=TYPES[t["dtype"]])
            tensors[name] = piece.view(t["shape"])
    return tensors


class Cell:
    def __init__(self, folder):
        self.spec = open(os.path.join(folder, "spec.yaml")).read()
        self.weights = read(os.path.join(folder, "weights.safetensors"))
        self.c = {"n": self.number("length"), "bucketed": 0}
        for name in ("layers", "heads", "width"):
            self.c[name] = self.number(name)
        for line in ("norm: none", "activation: relu", "tie: false", "head: linear",
                     "kind: toeplitz, init"):  # of C
            assert line in self.spec, f"expected {line}"
        self.urpe = "attention: urpe" in self.spec
        self.causal = "mask: causal" in self.spec
        kind = re.search(r"encoding: (?:\{kind: )?([a-z0-9-]+)", self.spec)[1]
        self.encoding = ENCODINGS[kind](self.c)
        self.tokens = "embed.bias" not in self.weights

    def number(self, key):
        return int(re.search(rf"^  {key}: (\d+)$", self.spec, re.M)[1])

    def forward(self, x):
        w = {name: value.double() for name, value in self.weights.items()}
        case = {"attention": g.URPE if self.urpe else g.RPE,
                "mask": g.CAUSAL if self.causal else g.BOTH, "normaliser": wt.Normaliser(),
                "seen": (wt.CAUSAL if self.causal else wt.NONE).matrix(self.c)}
        if self.tokens:
            x = w["embed.weight"][x.long()]
        else:
            x = x.double() @ w["embed.weight"].T + w["embed.bias"]
        for layer in range(self.c["layers"]):
            x = x + g.attention(self.c, self.encoding, case, w, layer, x, None)[0]
            p = f"layers.{layer}.ffn."
            h = torch.relu(x @ w[p + "in.weight"].T + w[p + "in.bias"])
            x = x + h @ w[p + "out.weight"].T + w[p + "out.bias"]
        return x @ w["head.weight"].T + w["head.bias"]

    def inputs(self):
        """The last sample is one token, again and again."""
        torch.manual_seed(0)
        n, embed = self.c["n"], self.weights["embed.weight"]
        if self.tokens:
            x = torch.randint(len(embed), (SAMPLES, n), dtype=torch.int32)
        else:
            x = torch.rand(SAMPLES, n, embed.shape[1], dtype=torch.float32).to(embed.dtype)
        x[-1] = x[-1, 0].clone()
        return x

    def disturb(self):
        for name, value in self.weights.items():
            self.weights[name] = value + 1e-3 * (value != 0)


def apart(cell, x, y):
    """The largest difference between y and what PyTorch finds, in parts of the largest output."""
    want = cell.forward(x)
    assert y.shape == want.shape, f"the output is {list(y.shape)}; expected {list(want.shape)}"
    return ((y.double() - want).abs().max() / want.abs().max()).item()


def check(program, spec, name, precision):
    """What is wrong with the witness of a case, or None."""
    folder = os.path.join(name.replace(" ", "-"), precision)
    settings = ("model.attention=urpe", "space.length=16", f"model.precision={precision}")
    sets = [word for setting in settings + CASES[name] for word in ("--set", setting)]
    subprocess.run([program, "witness", spec, "--quiet", "--no-claims", "--out", folder, *sets],
                   check=True)
    cell_folder, = os.scandir(os.path.join(folder, "cells"))
    cell = Cell(cell_folder.path)
    x, given, found = cell.inputs(), folder + "/in", folder + "/out"
    g.write_safetensors(given, {"x": x})
    subprocess.run([program, "predict", cell_folder.path, "--input", given, "--output", found],
                   check=True)
    y = read(found)["y"]
    exact = apart(cell, x, y)
    cell.disturb()
    disturbed = apart(cell, x, y)
    print(f"{name}, {precision}: {exact:.3g} of the largest output apart, disturbed {disturbed:.3g}")
    if not exact <= TOLERANCE[precision]:
        return f"{name}, {precision}: {exact} apart"
    if not disturbed > TOLERANCE[precision]:
        return f"{name}, {precision}: other weights give the same"
    return None


def main(program, spec):
    faults = [check(program, spec, name, precision) for name in CASES for precision in TOLERANCE]
    sys.exit("\n".join(filter(None, faults)) or None)


if __name__ == "__main__":
    main(*sys.argv[1:])
