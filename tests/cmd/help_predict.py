"""For predict.bats, in plain Python: files of safetensors, good and bad, and the forward pass of
the small model there, written from theory.md's formulas in lists of numbers.

    help_predict.py write FILE TYPE SHAPE [NAME]   tensor NAME (x), numbers that follow from its place
    help_predict.py graphs FILE SHAPE EDGES        x, and edges: 0-1,1-2 for all samples, or ; between
                                                   those of each, filled up with -1
    help_predict.py huge FILE                      a header length of 2^62
    help_predict.py overlap FILE                   two tensors that share bytes
    help_predict.py shape FILE                     prints type and shape of y
    help_predict.py padded OUTPUT WANT NAME TOLERANCE
                                                   tensor NAME is as in WANT where that has numbers, and
                                                   zero beyond
    help_predict.py compare WEIGHTS INPUT OUTPUT TOLERANCE
"""
import json
import math
import struct
import sys

CODES = {"F32": "f", "F64": "d", "I32": "i"}


def read(path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, t in json.loads(data[8:8 + length]).items():
        if name == "__metadata__":
            continue
        first, last = (8 + length + offset for offset in t["data_offsets"])
        count = math.prod(t["shape"])
        values = struct.unpack(f"<{count}{CODES[t['dtype']]}", data[first:last])
        tensors[name] = t["dtype"], t["shape"], list(values)
    return tensors


def write_file(path, header, data):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def write(path, kind, shape, name="x"):
    shape = [int(size) for size in shape.split("x")]
    count = math.prod(shape)
    if kind == "I32":
        values = [k % 3 for k in range(count)]
    else:
        values = [(k * 5 % 16) / 16 for k in range(count)]  # exact in float
    data = struct.pack(f"<{count}{CODES[kind]}", *values)
    write_file(path, {name: {"dtype": kind, "shape": shape, "data_offsets": [0, len(data)]}}, data)


def graphs(path, shape, edges):
    write(path, "F32", shape)
    x = read(path)["x"]
    lists = [[[int(node) for node in edge.split("-")] for edge in part.split(",") if edge]
             for part in edges.split(";")]
    longest = max(len(part) for part in lists)
    pairs = [node for part in lists for edge in part + [[-1, -1]] * (longest - len(part))
             for node in edge]
    sizes = [len(lists), longest, 2] if len(lists) > 1 else [longest, 2]
    data = struct.pack(f"<{len(x[2])}f", *x[2])
    more = struct.pack(f"<{len(pairs)}i", *pairs)
    write_file(path, {"x": {"dtype": "F32", "shape": x[1], "data_offsets": [0, len(data)]},
                      "edges": {"dtype": "I32", "shape": sizes,
                                "data_offsets": [len(data), len(data) + len(more)]}}, data + more)


def huge(path):
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", 1 << 62) + b"{}")


def overlap(path):
    x = {"dtype": "F32", "shape": [1, 4, 1], "data_offsets": [0, 16]}
    write_file(path, {"x": x, "z": {**x, "data_offsets": [8, 24]}}, bytes(24))


def shape(path):
    kind, sizes, _ = read(path)["y"]
    print(kind, "x".join(str(size) for size in sizes))


# ---- one layer, one head, pre-norm, GELU, Toeplitz B and C ----------------------------------------
def linear(w, name, x):
    _, (out, into), weight = w[name + ".weight"]
    bias = w[name + ".bias"][2]
    return [[bias[o] + sum(weight[o * into + i] * row[i] for i in range(into)) for o in range(out)]
            for row in x]


def norm(w, name, x):
    gain, bias = w[name + ".weight"][2], w[name + ".bias"][2]
    result = []
    for row in x:
        mean = sum(row) / len(row)
        scale = math.sqrt(sum((v - mean) ** 2 for v in row) / len(row) + 1e-5)
        result.append([(v - mean) / scale * g + b for v, g, b in zip(row, gain, bias)])
    return result


def offsets(n):
    return [[j - i + n - 1 for j in range(n)] for i in range(n)]


def distances(n, edges, rows):
    """Distances up to rows - 2, from there on one; the last row says that there is no path."""
    far = 10 ** 6
    d = [[0 if i == j else far for j in range(n)] for i in range(n)]
    for i, j in edges:
        d[i][j] = d[j][i] = 1
    for k in range(n):
        d = [[min(d[i][j], d[i][k] + d[k][j]) for j in range(n)] for i in range(n)]
    return [[rows - 1 if v >= far else min(v, rows - 2) for v in row] for row in d]


def attention(w, x, relation):
    n, width = len(x), len(x[0])
    q, k, v = (linear(w, "layers.0.attn." + name, x) for name in "qkv")
    b, c = w["encoding.bias"][2], w["urpe.c"][2]
    result = []
    for i in range(n):
        s = [sum(a * d for a, d in zip(q[i], k[j])) / math.sqrt(width) + b[relation[i][j]]
             for j in range(n)]
        p = [math.exp(value - max(s)) for value in s]
        p = [value / sum(p) * c[relation[i][j]] for j, value in enumerate(p)]
        result.append([sum(p[j] * v[j][d] for j in range(n)) for d in range(width)])
    return linear(w, "layers.0.attn.o", result)


def add(x, y):
    return [[a + b for a, b in zip(r, s)] for r, s in zip(x, y)]


def forward(w, x, relation):
    x = linear(w, "embed", x)
    x = add(x, attention(w, norm(w, "layers.0.norm1", x), relation))
    h = linear(w, "layers.0.ffn.in", norm(w, "layers.0.norm2", x))
    h = [[v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in row] for row in h]
    x = add(x, linear(w, "layers.0.ffn.out", h))
    return linear(w, "head", norm(w, "norm", x))


def compare(weights, given, found, tolerance):
    w, inputs = read(weights), read(given)
    _, (batch, n, channels), x = inputs["x"]
    _, sizes, nodes = inputs.get("edges", (None, None, None))
    y = read(found)["y"][2]
    want = []
    for b in range(batch):
        rows = [x[(b * n + i) * channels:(b * n + i + 1) * channels] for i in range(n)]
        relation = offsets(n)
        if nodes is not None:
            first = b * 2 * sizes[1] if len(sizes) == 3 else 0
            pairs = [nodes[k:k + 2] for k in range(first, first + 2 * sizes[-2], 2)]
            relation = distances(n, [pair for pair in pairs if pair[0] >= 0], w["urpe.c"][1][1])
        want += [value for row in forward(w, rows, relation) for value in row]
    largest = max(abs(value) for value in want)
    apart = max(abs(a - b) for a, b in zip(want, y)) / largest
    if len(y) != len(want) or not apart <= float(tolerance):
        sys.exit(f"{apart} of the largest output apart")


def padded(found, want, name, tolerance):
    _, sizes, y = read(found)[name]
    _, own, z = read(want)[name]
    for k, value in enumerate(y):
        place = []
        for size in reversed(sizes):
            place.insert(0, k % size)
            k //= size
        at = 0
        for i, size in zip(place, own):
            at = at * size + i
        inside = all(i < size for i, size in zip(place, own))
        if not abs(value - (z[at] if inside else 0)) <= float(tolerance):
            sys.exit(f"{name} at {place}: {value}")


if __name__ == "__main__":
    {f.__name__: f for f in (write, padded, graphs, huge, overlap, shape, compare)}[sys.argv[1]](*sys.argv[2:])
