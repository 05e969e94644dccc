#!/usr/bin/python3
"""A small Transformer with a relative bias, in PyTorch, for `urpe-probe samples` and `score`.

    own_torch.py FOLDER PREDICTIONS [BUG]

Trains on FOLDER/training.safetensors, and writes PREDICTIONS: logits for
FOLDER/inputs-8.safetensors.  BUG is one of three that are made often, and that no loss shows:
leak (a mask that is off by one), pad (a token in front, which tells places), zero-key (keys of
padding, which the softmax counts).
"""
import json
import struct
import sys

import torch
from torch import nn
from torch.nn import functional as F

TYPES = {"F32": torch.float32, "F64": torch.float64, "I32": torch.int32}


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    out = {}
    for name, t in header.items():
        a, b = t["data_offsets"]
        flat = torch.frombuffer(bytearray(data[8 + size + a:8 + size + b]), dtype=TYPES[t["dtype"]])
        out[name] = flat.reshape(t["shape"])
    return out


def write(path, name, tensor):
    raw = tensor.detach().contiguous().numpy().tobytes()
    head = json.dumps({name: {"dtype": "F32", "shape": list(tensor.shape),
                              "data_offsets": [0, len(raw)]}}).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + raw)


class Block(nn.Module):
    def __init__(self, n, width, heads, bug):
        super().__init__()
        self.heads, self.bug = heads, bug
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.ffn = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.bias = nn.Parameter(torch.zeros(heads, 2 * n - 1))
        i = torch.arange(n)
        self.register_buffer("offset", i[None, :] - i[:, None] + n - 1)
        self.register_buffer("hidden", i[None, :] > i[:, None] + (1 if bug == "leak" else 0))

    def forward(self, x):
        b, n, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        logits = q @ k.transpose(2, 3) / q.shape[3] ** 0.5 + self.bias[:, self.offset]
        logits = logits.masked_fill(self.hidden, float("-inf"))
        if self.bug == "zero-key":  # one key of padding more, which nobody masks
            logits = F.pad(logits, (0, 1))
            v = F.pad(v, (0, 0, 0, 1))
        x = x + self.out((logits.softmax(3) @ v).transpose(1, 2).reshape(b, n, width))
        return x + self.ffn(self.norm2(x))


class Model(nn.Module):
    def __init__(self, n, symbols, labels, bug, width=16, heads=2, layers=1):
        super().__init__()
        self.front = 1 if bug == "pad" else 0  # a symbol of its own before the sequence
        self.embed = nn.Embedding(symbols + self.front, width)
        self.blocks = nn.Sequential(*(Block(n + self.front, width, heads, bug) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, labels)

    def forward(self, x):
        if self.front:
            x = F.pad(x, (1, 0), value=self.embed.num_embeddings - 1)
        return self.head(self.norm(self.blocks(self.embed(x))))[:, self.front:]


def main(folder, predictions, bug=None):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data, inputs = read(folder + "/training.safetensors"), read(folder + "/inputs-8.safetensors")
    x, y = data["x"].long(), data["y"].long()
    model = Model(x.shape[1], 2, 2, bug)
    steps, batch = 150, 32
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1 - k / steps)
    for k in range(steps):
        of = torch.arange(k * batch, (k + 1) * batch) % len(x)
        loss = F.cross_entropy(model(x[of]).flatten(0, 1), y[of].flatten(), ignore_index=-100)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        write(predictions, "y", model(inputs["x"].long()))


if __name__ == "__main__":
    main(*sys.argv[1:])
