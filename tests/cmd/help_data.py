#!/usr/bin/env python3
"""Small safetensors files for data.bats, without any package.

    help_data.py FILE NAME=TYPE:SHAPE:EXPRESSION ...

EXPRESSION is Python in the element's index, i (a tuple), and random(), the same at every run.
"""
import json
import math  # noqa: F401 - for expressions
import random as r
import struct
import sys

CODES = {"F32": "f", "F64": "d", "I32": "i", "I64": "q", "U8": "B", "BOOL": "B"}


def indices(shape):
    if not shape:
        yield ()
        return
    for k in range(shape[0]):
        for rest in indices(shape[1:]):
            yield (k,) + rest


def main(path, *tensors):
    header, data = {}, b""
    for text in tensors:
        name, rest = text.split("=", 1)
        kind, dims, expression = rest.split(":", 2)
        shape = [int(d) for d in dims.split("x")]
        draw = r.Random(name)
        code = compile(expression, name, "eval")
        values = [eval(code, {"i": i, "random": draw.random, "math": math}) for i in indices(shape)]
        packed = struct.pack("<%d%s" % (len(values), CODES[kind]), *values)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    head = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + data)


main(*sys.argv[1:])
