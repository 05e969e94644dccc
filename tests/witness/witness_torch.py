#!/usr/bin/python3
"""For witness_torch.bats: a witness's weights in PyTorch, apart from the program.

    witness_torch.py write CELL FILE             inputs for a cell: random, and equal tokens
    witness_torch.py compare CELL FILE OUTPUT TOLERANCE
    witness_torch.py disturb CELL                adds 1e-3 to the weights that are not 0, in place

The forward pass is Luo et al. 2022, eqs. 3 and 5, with residuals, ReLU and no norm, in double
whatever the cell's precision.  Encodings and attention are those of tests/model/parity, which are
written from the papers.  Exits with a message when the largest difference exceeds TOLERANCE times
the largest output."""
import json
import os
import re
import struct
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../model/parity"))
import encodings_torch as e  # noqa: E402
import generate as g  # noqa: E402

TYPES = {"F32": torch.float32, "F64": torch.float64, "I32": torch.int32}
ENCODINGS = {"toeplitz": e.Toeplitz, "alibi": e.Alibi}
SAMPLES = 6


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
                "mask": g.CAUSAL if self.causal else g.BOTH}
        if self.tokens:
            x = w["embed.weight"][x.long()]
        else:
            x = x.double() @ w["embed.weight"].T + w["embed.bias"]
        for layer in range(self.c["layers"]):
            x = x + g.attention(self.c, self.encoding, case, w, layer, x)
            p = f"layers.{layer}.ffn."
            h = torch.relu(x @ w[p + "in.weight"].T + w[p + "in.bias"])
            x = x + h @ w[p + "out.weight"].T + w[p + "out.bias"]
        return x @ w["head.weight"].T + w["head.bias"]


def write(folder, path):
    """The last sample is one token, again and again."""
    cell = Cell(folder)
    torch.manual_seed(0)
    n, embed = cell.c["n"], cell.weights["embed.weight"]
    if cell.tokens:
        x = torch.randint(len(embed), (SAMPLES, n), dtype=torch.int32)
    else:
        x = torch.rand(SAMPLES, n, embed.shape[1], dtype=torch.float32).to(embed.dtype)
    x[-1] = x[-1, 0].clone()
    g.write_safetensors(path, {"x": x})


def compare(folder, given, found, tolerance):
    want = Cell(folder).forward(read(given)["x"])
    y = read(found)["y"]
    if y.shape != want.shape:
        sys.exit(f"the output is {list(y.shape)}; expected {list(want.shape)}")
    apart = ((y.double() - want).abs().max() / want.abs().max()).item()
    print(f"{apart:.3g} of the largest output apart")
    if not apart <= float(tolerance):
        sys.exit(f"{apart} of the largest output apart")


def disturb(folder):
    path = os.path.join(folder, "weights.safetensors")
    g.write_safetensors(path, {name: value + 1e-3 * (value != 0)
                               for name, value in read(path).items()})


if __name__ == "__main__":
    {f.__name__: f for f in (write, compare, disturb)}[sys.argv[1]](*sys.argv[2:])
