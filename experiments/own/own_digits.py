#!/usr/bin/env python3
"""The 8 x 8 digits of Debian's python3-sklearn as a file for `target: data`, without any package.

    own_digits.py digits.safetensors [digits.csv.gz]

x F32 [1797, 64, 1], pixels of 0..16 over 16, row by row; y I32 [1797], the digit; `split`: the last 297
are tested, the 200 before them are for choosing settings.
"""
import gzip
import json
import struct
import sys

WHERE = "/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz"


def main(path, source=WHERE):
    with gzip.open(source, "rt") as f:
        rows = [[float(value) for value in line.split(",")] for line in f if line.strip()]
    count = len(rows)
    parts = {
        "x": ("F32", [count, 64, 1], "f", [pixel / 16 for row in rows for pixel in row[:64]]),
        "y": ("I32", [count], "i", [int(row[64]) for row in rows]),
        "split": ("I32", [count], "i", [2 if k >= count - 297 else 1 if k >= count - 497 else 0 for k in range(count)]),
    }
    header, data = {}, b""
    for name, (kind, shape, code, values) in parts.items():
        packed = struct.pack("<%d%s" % (len(values), code), *values)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    head = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + data)


main(*sys.argv[1:])
