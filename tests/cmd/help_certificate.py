"""Certificates made by an exhaustive refinement that shares nothing with urpe-probe-check.

Everything is decided pair against pair and straight from the definitions: relations as formulas on
positions, views as dictionaries of fractions, groups grown by comparing each pair with every group.
Slow, so only for samples of a few positions.  A Case is a certificate's content; Case.text() is the
file, with the groups and figures that are in the case, true or not.
"""
import copy
import csv
import gzip
import itertools
import json
import math
import os
import random
import subprocess
from collections import Counter
from fractions import Fraction
from urllib.parse import quote, unquote

ON_LINES = ("t5", "shaw", "transformer-xl", "deberta", "sandwich", "fire", "tupe")
ANYWHERE = ("none", "toeplitz", "alibi", "kerple-log", "kerple-power", "formula")
WITH_AXES = ("sinusoidal", "learned", "rope")
CAUSAL_ONLY = ("xpos", "cope", "fox")
NORMALISERS = (
    {"normaliser": "softmax"}, {"normaliser": "sink", "mean": "0", "std": "0.02"}, {"normaliser": "softmax-one"},
    {"normaliser": "bias-kv"}, {"normaliser": "sigmoid", "bias": "0", "minus_log": "n", "divide": "none"},
    {"normaliser": "sigmoid", "bias": "0", "minus_log": "m", "divide": "m"},
    {"normaliser": "sigmoid", "bias": "0", "minus_log": "none", "divide": "m"},
    {"normaliser": "sigmoid", "bias": "0", "minus_log": "none", "divide": "none"},
    {"normaliser": "relu", "power": "1", "over": "n"}, {"normaliser": "relu", "power": "2", "over": "m"},
    {"normaliser": "linear", "divide": "sum", "phi": "elu"}, {"normaliser": "linear", "divide": "none", "phi": "none"},
    {"normaliser": "linear", "divide": "unrotated", "phi": "elu"},
    {"normaliser": "entmax", "alpha": "1.5", "learned": "false"}, {"normaliser": "sparsemax"},
    {"normaliser": "ssmax", "scale": "0.43", "bias": "false"}, {"normaliser": "softpick"},
    {"normaliser": "stick-breaking", "remainder": "drop", "current": "false"},
    {"normaliser": "stick-breaking", "remainder": "value", "current": "false"},
    {"normaliser": "elastic", "tau": "-1"}, {"normaliser": "average-hard", "tie": "1e-5"},
    {"normaliser": "differential", "norm": "false"}, {"normaliser": "talking-heads"})
CONVOLUTIONS = (
    {"convolution": "canon", "size": "2", "residual": "true", "input": "true", "qkv": "false", "ffn": "false",
     "hidden": "false"},
    {"convolution": "canon", "size": "3", "residual": "false", "input": "false", "qkv": "true", "ffn": "true",
     "hidden": "true"},
    {"convolution": "canon", "size": "4", "residual": "true", "input": "false", "qkv": "false", "ffn": "false",
     "hidden": "false"},
    {"convolution": "shift", "share": "0.5", "input": "true", "ffn": "false"})
C_OPTIONS = {"c.init": "ones", "c.mean": "1", "c.share": "model", "c.std": "0.02"}
# Formulas in Lua, the spaces where they are defined, and what they tell apart of d, n and a grid's offsets.
SPACES = ("sequence", "grid", "graph")
FORMULAS = (
    ("-a[h] * math.log(1 + math.abs(b[h] * d))", SPACES, lambda d, n, *_: abs(d)),
    ("a[h] * math.max(-2, math.min(2, d)) + b[h]", SPACES, lambda d, n, *_: between(-2, d, 2)),
    ("a[h] * (h == 2 and d or math.abs(d)) + b[h]", SPACES, lambda d, n, *_: d),
    ("a[h] * math.cos(0.5 * d) - b[h]*(d^2 // 3 ~= 0 and 0 or 1)", SPACES, lambda d, n, *_: abs(d)),
    ("d % 2 == 0 and a[h] or b[h] / n", ("sequence", "grid"), lambda d, n, *_: d % 2 == 0 or (n,)),
    ("a[h] * (d // 2) - b[h]", ("sequence",), lambda d, n, *_: d // 2),
    ("-a[h] * math.sqrt(dy^2 + 2 * dx^2) * -math.pi + b[h]", ("grid",), lambda d, n, y, x: y * y + 2 * x * x),
)


def encoding_options(rng, name, space):
    k = str(rng.randint(1, 4))
    formula = rng.choice([text for text, where, _ in FORMULAS if space in where])
    return {
        "formula": {"bias": formula, "parameters": "{a: 1, b: {start: 0.1, std: 0.02}}"},
        "toeplitz": {"std": "0.02"}, "t5": {"buckets": str(rng.choice((4, 6, 8))), "max_distance": str(rng.randint(5, 9))},
        "alibi": {"slopes": rng.choice(("fixed", "learned"))}, "shaw": {"k": k, "value": rng.choice(("true", "false"))},
        "deberta": {"k": k, "gather": rng.choice(("paper", "released"))}, "sandwich": {"dimension": "0"},
        "rope": {"base": "10000", "fraction": "1", "pairing": "adjacent",
                 "scaling": rng.choice(("none", "linear", "ntk", "yarn")) if space == "sequence" else "none"}, "xpos": {"base": "10000", "scale_base": "512"},
        "tupe": {"t5": "false"}, "cope": {"positions": "64"}, "fox": {"bias": "0"}, "centrality": {"bias": rng.choice(("true", "false"))},
    }.get(name, {})


def masks_of(rng, space):
    masks = [{"mask": "none"}, {"mask": "causal"}]
    if space == "graph":
        masks.append({"mask": "hops", "hops": str(rng.randint(0, 2))})
    else:
        masks.append({"mask": "strict"})
    if space == "grid":
        masks.append({"mask": "neighbourhood", "dy": str(rng.randint(0, 1)), "dx": str(rng.randint(0, 2))})
    if space == "sequence":
        a, b = str(rng.randint(1, 3)), str(rng.randint(1, 3))
        masks += [{"mask": "window", "past": a, "future": str(rng.randint(0, 2))}, {"mask": "dilated", "step": a, "size": b},
                  {"mask": "strided", "length": a}, {"mask": "blocks", "size": a, "causal": rng.choice(("true", "false"))},
                  {"mask": "prefix-lm", "prefix": a}]
    return [{key if key == "mask" else f"mask.{key}": value for key, value in mask.items()} for mask in masks]


def random_mask(rng, space):
    masks = masks_of(rng, space)
    return rng.choice(masks[:2] * 4 + masks[2:])


def looks_back(layer):
    """Whether the mask hides all keys behind the query."""
    return layer["mask"] in ("causal", "strict", "dilated", "strided") or layer.get("mask.future") == "0" \
        or layer.get("mask.causal") == "true"


def names_of(space, past):
    """Encodings and normalisers that a space has, under a mask that hides what comes after the query or none."""
    names = list(ANYWHERE) + (["centrality"] if space == "graph" else list(WITH_AXES))
    if space == "sequence":
        names += ON_LINES + (CAUSAL_ONLY if past else ())
    return names, [n for n in NORMALISERS if past or n["normaliser"] != "stick-breaking"]


def go_together(encoding, normaliser):
    """CoPE reads logits, which linear attention has not."""
    return encoding != "cope" or normaliser["normaliser"] != "linear"


def layer_of(rng, space, encoding, mask, normaliser, c):
    layer = {"heads": "2", "encoding": encoding, "attention": "urpe" if c else "rpe", **mask}
    layer.update({f"encoding.{key}": value for key, value in encoding_options(rng, encoding, space).items()})
    layer.update({key if key == "normaliser" else f"normaliser.{key}": value for key, value in normaliser.items()})
    if c:
        formula = encoding_options(rng, "formula", space)
        layer.update({"c": c, **(C_OPTIONS if c != "formula" else {
            "c.factor": formula["bias"], "c.parameters": formula["parameters"], "c.share": "model"})})
    return layer


def convolution_of(options):
    return {key if key == "convolution" else f"convolution.{key}": value for key, value in options.items()}


def c_kinds(space):
    return ("toeplitz", "formula", "bucketed") if space == "sequence" else ("toeplitz", "formula")


def random_layer(rng, space):
    mask = random_mask(rng, space)
    names, normalisers = names_of(space, looks_back(mask))
    normaliser = NORMALISERS[0] if rng.random() < 0.3 else rng.choice(normalisers)
    c = rng.choice((None, None, rng.choice(c_kinds(space))))
    names = [name for name in names if go_together(name, normaliser)]
    layer = layer_of(rng, space, rng.choice(names + ["centrality"] * (space == "graph")), mask, normaliser, c)
    if space == "sequence" and rng.random() < 0.2:
        layer.update(convolution_of(rng.choice(CONVOLUTIONS)))
    return layer


def all_layers(rng, space):
    """Every encoding with every normaliser, mask and C that go together, options at random."""
    for mask in masks_of(rng, space):
        if space == "graph" and mask["mask"] == "causal":
            continue  # nodes have no order
        names, normalisers = names_of(space, looks_back(mask))
        for encoding in names:
            for normaliser in normalisers:
                for c in (None, *c_kinds(space)) if go_together(encoding, normaliser) else ():
                    if c != "formula" or rng.random() < 0.25:
                        yield layer_of(rng, space, encoding, mask, normaliser, c)
            if space == "sequence":
                fitting = [normaliser for normaliser in normalisers if go_together(encoding, normaliser)]
                layer = layer_of(rng, space, encoding, mask, rng.choice(fitting), rng.choice((None, *c_kinds(space))))
                yield {**layer, **convolution_of(rng.choice(CONVOLUTIONS))}


def meetings(layer):
    """Its kinds in pairs, a normaliser with its options."""
    options = tuple(sorted(item for item in layer.items() if item[0].startswith("normaliser")))
    kinds = [*((part, layer.get(part)) for part in ("encoding", "mask", "c", "convolution")), options]
    return {frozenset(pair) for pair in itertools.combinations(kinds, 2)}


def covering_layers(rng, space):
    """Those of all_layers, in another order, in which some kinds meet for the first time; many before few."""
    met, layers = set(), list(all_layers(rng, space))
    rng.shuffle(layers)
    for least in (3, 1):
        for layer in layers:
            if len(meetings(layer) - met) >= least:
                met |= meetings(layer)
                yield layer


# ---- relations, from the formulas -------------------------------------------------------------------------

def bucket(offset, causal, buckets, far):
    """As published, in floating point, with a margin for the whole numbers that it just misses."""
    half, b, m = buckets, 0, max(-offset, 0)
    if not causal:
        half, b, m = buckets // 2, (buckets // 2 if offset > 0 else 0), abs(offset)
    exact = half // 2
    if m < exact:
        return b + m
    return b + min(half - 1, exact + int(math.log(m / exact) / math.log(far / exact) * (half - exact) + 1e-9))


def sees(layer, case, sample, i, j):
    """i and j count from the first prefix token."""
    name = layer["mask"]
    if name in ("none", "causal"):
        return name == "none" or j <= i
    o = {key[5:]: int(value) for key, value in layer.items() if key.startswith("mask.") and value.isdigit()}
    if name == "neighbourhood":
        return abs(i // case.width - j // case.width) <= o["dy"] and abs(i % case.width - j % case.width) <= o["dx"]
    return {
        "strict": lambda: j < i,
        "window": lambda: i - o["past"] < j <= i + o["future"],
        "dilated": lambda: j in [i - o["step"] * t for t in range(o["size"])],
        "strided": lambda: j <= i and (i - j < o["length"] or (i - j) % o["length"] == 0),
        "blocks": lambda: i // o["size"] == j // o["size"] and (j <= i or layer["mask.causal"] == "false"),
        "prefix-lm": lambda: j <= max(i, o["prefix"] - 1), "hops": lambda: sample.hops[i][j] <= o["hops"],
    }[name]()


def between(low, x, high):
    return sorted((low, x, high))[1]


def relation(layer, sample, i, j, case):
    """What j is to i for scores and for C.  i and j count from the first prefix token."""
    if case.registers:
        if i < case.prefix or j < case.prefix:
            return (("of registers", i if i < case.prefix else None, j if j < case.prefix else None),) * 2
        i, j = i - case.prefix, j - case.prefix
    o = {key[9:]: value for key, value in layer.items() if key.startswith("encoding.")}
    name, causal, c = layer["encoding"], looks_back(layer), layer.get("c")
    tell_of = {text: tell for text, _, tell in FORMULAS}
    tells, c_tells = tell_of.get(o.get("bias")), tell_of.get(layer.get("c.factor"))
    if case.space == "graph":
        hop = sample.hops[i][j]
        scores = (hop if hop == math.inf else tells(hop, 0)) if tells else hop if name != "none" and o.get("bias") != "false" else None
        return scores, (hop if hop == math.inf else c_tells(hop, 0)) if c_tells else hop if c else None
    if case.space == "grid":
        (a, b), (p, q) = divmod(i, case.width), divmod(j, case.width)
        both = p - a, q - b
        scores = {"toeplitz": both, "rope": both, "alibi": math.hypot(*both), "kerple-log": math.hypot(*both),
                  "kerple-power": math.hypot(*both)}.get(name)
        if tells:
            scores = tells(math.hypot(*both), sample.n, *both)
        return scores, c_tells(math.hypot(*both), sample.n, *both) if c_tells else both if c else None
    d, last = j - i, case.trained - 1
    k = int(o.get("k", 0))
    scores = {
        "toeplitz": lambda: between(-last, d, last), "alibi": lambda: abs(d), "kerple-log": lambda: abs(d),
        "kerple-power": lambda: abs(d), "sandwich": lambda: abs(d), "rope": lambda: (d, o["scaling"] != "none" and sample.n), "xpos": lambda: d,
        "transformer-xl": lambda: d, "shaw": lambda: between(-k, d, k), "tupe": lambda: (i, j),
        "t5": lambda: bucket(d, causal, int(o["buckets"]), int(o["max_distance"])),
        "deberta": lambda: (between(0, k - d, 2 * k - 1), between(0, k + d, 2 * k - 1) if o["gather"] == "paper" else 0),
        "formula": lambda: tells(d, case.prefix + sample.n), "fire": lambda: (i, j) if causal else (abs(d), sample.n),
    }.get(name, lambda: None)()
    return scores, {"toeplitz": between(-last, d, last), "bucketed": bucket(d, causal, 32, 128)}[c] if c and not c_tells \
        else c_tells(d, case.prefix + sample.n) if c else None


def promise(layer):
    """Kind, whether one thing (colour and row of C) is a clause, what weights are products of, whether rows use
    the length: the table of the classes."""
    name = layer["normaliser"]
    options = {key.split(".")[1]: value for key, value in layer.items() if key.startswith("normaliser.")}
    ratio = name in ("softmax", "softpick", "elastic", "average-hard", "differential", "talking-heads") \
        or name == "relu" and options["over"] == "m" \
        or name == "linear" and options["divide"] != "none" \
        or name == "sigmoid" and options["divide"] == "m" and options["minus_log"] == "none"
    kind = "ratio" if ratio else "per n" if name == "relu" else "order" if name == "stick-breaking" else "count"
    sums = name in ("softmax", "average-hard", "differential", "talking-heads", "entmax", "sparsemax", "ssmax") \
        or name == "linear" and options["divide"] == "sum" \
        or options.get("remainder") == "value" and layer["mask"] != "strict"
    exponential = name in ("softmax", "differential", "talking-heads")
    one = sums and (layer["attention"] == "rpe" or exponential) and layer.get("encoding.value") != "true"
    if layer["encoding"] in ("cope", "fox"):
        return "order", one, None, kind == "per n" or options.get("minus_log") == "n"
    biased = layer["encoding"] in ("none", "sinusoidal", "learned", "centrality", "toeplitz", "t5", "alibi",
                                   "kerple-log", "kerple-power", "sandwich", "fire", "formula")
    of = None if not (one and exponential and biased) else "powers" if layer["encoding"] == "alibi" else "factors"
    return kind, one, of, options.get("minus_log") == "n"


def same_ratios(views, powers):
    """Whether l_a l'_b = l_b l'_a, b the first thing seen, for all things: polynomials in the weights of relations."""
    def times(one, a, other, b):
        return Counter((r + s if powers else frozenset(Counter([r, s]).items())) for (x, r) in one if x == a
                       for (y, s) in other if y == b)
    seen = [[((colour, c), r) for colour, (r, c) in view] for view in views]
    things = {x for view in seen for x, _ in view}
    b = seen[0][0][0]
    return all(times(seen[0], a, seen[1], b) == times(seen[0], b, seen[1], a) != Counter() for a in things)


# ---- samples and cases ----------------------------------------------------------------------------------------

class Sample:
    def __init__(self, n, tokens, edges=()):
        self.n, self.tokens, self.edges, self.hops = n, tokens, edges, None


class Case:
    """space, trained, prefix, layers, depth (None: any), samples; group: for each pair the first of its
    group; targets: for each sample and position a list of Fractions, or (label, informative), or None.
    registers: the prefix stands nowhere; pool: outputs are means of samples."""
    registers = pool = False

    def copy(self):
        """One whose layers, samples, targets and claims may be changed."""
        other = copy.copy(self)
        other.layers, other.samples = list(map(dict, self.layers)), list(map(copy.copy, self.samples))
        for sample in other.samples:
            sample.tokens = list(sample.tokens)
        other.targets, other.claims = list(map(list, self.targets)), dict(self.claims)
        return other

    def pairs(self):
        return [(s, i) for s in self.samples for i in range(self.prefix + s.n)]

    def measure(self):
        """Hops of each sample's graph, by Floyd and Warshall."""
        for s in self.samples if self.space == "graph" else ():
            far = math.inf
            d = [[0 if i == j else 1 if (i, j) in s.edges or (j, i) in s.edges else far for j in range(s.n)]
                 for i in range(s.n)]
            for k in range(s.n):
                d = [[min(d[i][j], d[i][k] + d[k][j]) for j in range(s.n)] for i in range(s.n)]
            cap = self.max_distance or far
            s.hops = [[x if x == far else min(x, cap) for x in row] for row in d]

    def start(self):
        """The first colour of each pair: its token, and what an absolute encoding adds."""
        colours = []
        for s, i in self.pairs():
            colour = [("prefix", i) if i < self.prefix else s.tokens[i - self.prefix]]
            for layer in self.layers:
                if layer["encoding"] in ("sinusoidal", "learned") \
                        or layer["normaliser"] == "bias-kv" and layer["encoding"] in ("rope", "xpos"):
                    colour.append(i)
                if layer["encoding"] == "centrality":
                    colour.append(sum(i in edge for edge in s.edges))
            colours.append(tuple(colour))
        return colours

    def alike(self, layer, colours, p, q):
        """Whether no layer of the class tells p's view from q's."""
        if id(layer) not in self.memory:
            self.memory[id(layer)] = promise(layer)
        kind, one, of, length = self.memory[id(layer)]
        views, sizes = [], []
        for s, i, first in (self.table[p], self.table[q]):
            views.append([(colours[first + j], r) for j, r in self.row(layer, s, i)])
            sizes.append(self.prefix + s.n)
        seen = [{(colour, c) for colour, (_, c) in v} for v in views]
        if one and len(seen[0]) == 1 and seen[0] == seen[1]:
            return True
        if length and sizes[0] != sizes[1] and (views[0] or views[1]):
            return False
        if kind == "order" or not views[0] or not views[1]:
            return views[0] == views[1]
        if of and same_ratios(views, of == "powers" and self.space == "sequence" and not self.registers):
            return True
        scale = {"ratio": [len(v) for v in views], "per n": sizes, "count": [1, 1]}[kind]
        return all(views[0].count(x) * scale[1] == views[1].count(x) * scale[0] for x in set(views[0]) | set(views[1]))

    def row(self, layer, s, i):
        """(j, its relation) of what i sees."""
        key = id(layer), id(s) if self.space == "graph" else s.n, i
        if key not in self.memory:
            seen = [j for j in range(self.prefix + s.n) if sees(layer, self, s, i, j)]
            self.memory[key] = [(j, relation(layer, s, i, j, self)) for j in seen]
        return self.memory[key]

    def refine(self, layer, colours):
        """A round of each step: what a convolution mixes, attention, what one behind it mixes."""
        for place in ("input", "qkv"):
            if layer.get(f"convolution.{place}") == "true":
                colours = self.mix(layer, colours)
        colours = self.attend(layer, colours)
        for place in ("ffn", "hidden"):
            if layer.get(f"convolution.{place}") == "true":
                colours = self.mix(layer, colours)
        return colours

    def mixes(self, layer):
        return "true" in [layer.get(f"convolution.{place}") for place in ("input", "qkv", "ffn", "hidden")]

    def mix(self, layer, colours):
        """Those of the last positions, the pair's own too, as a list."""
        reach = int(layer.get("convolution.size", 2))
        return [tuple(colours[max(p - i, p - reach + 1):p + 1]) for p, (_, i, _) in enumerate(self.table)]

    def stable(self, layer, group):
        """Whether a round of no step tells a pair from the first of its group."""
        mixed = self.mix(layer, group) if self.mixes(layer) else group
        return all(mixed[p] == mixed[g] and self.alike(layer, group, p, g) for p, g in enumerate(group))

    def attend(self, layer, colours):
        """Groups within the colours, each pair compared with one member of each."""
        heads, out = [], []
        for p, colour in enumerate(colours):
            for k, q in enumerate(heads):
                if colours[q] == colour and self.alike(layer, colours, p, q):
                    out.append(k)
                    break
            else:
                heads.append(p)
                out.append(len(heads) - 1)
        return out

    def truth(self):
        """The coarsest groups that are sound, as the first member of each pair's."""
        self.memory, first = {}, 0
        self.measure()
        self.table = []
        for s in self.samples:
            self.table += [(s, i, first) for i in range(self.prefix + s.n)]
            first += self.prefix + s.n
        colours, rounds, quiet = self.start(), 0, 0
        while quiet < len(self.layers) and rounds != self.depth:
            finer = self.refine(self.layers[rounds % len(self.layers)], colours)
            quiet = quiet + 1 if len(set(finer)) == len(set(colours)) else 0
            colours, rounds = finer, rounds + 1
        return [colours.index(colour) for colour in colours]

    def means(self, group):
        """For each pair what the mean of its sample is a function of."""
        out, first = [], 0
        for s in self.samples:
            own = group[first + self.prefix:first + self.prefix + s.n]
            out += [tuple((g, Fraction(own.count(g), s.n)) for g in sorted(set(own)))] * (self.prefix + s.n)
            first += self.prefix + s.n
        return out

    def figures(self, group):
        """Exact figures of groups; roots and logarithms as floats."""
        of = {}
        flat = [y for s, y in zip(self.samples, self.targets) for y in [None] * self.prefix + y]
        group = self.means(group) if self.pool else group
        for g, y in zip(group, flat):
            if y is not None:
                of.setdefault(g, []).append(y)
        pairs = self.alone[1] + sum(map(len, of.values()))
        if self.labels:
            tops = [max(sum(y == z for y, _ in ys) for z, _ in ys) for ys in of.values()]
            entropy = -math.fsum(math.log(sum(z == y for z, _ in ys) / len(ys)) for ys in of.values() for y, _ in ys)
            out = {"accuracy_ceiling": Fraction(self.alone[1] + sum(tops), pairs), "cross_entropy_floor": entropy / pairs}
            telling = [[y for y, informs in ys if informs] for ys in of.values()]
            told = self.alone[2] + sum(map(len, telling))
            if told:
                best = self.alone[2] + sum(max((ys.count(y) for y in ys), default=0) for ys in telling)
                out["informative_ceiling"] = Fraction(best, told)
            return out
        square, gap = Fraction(0), Fraction(0)
        for ys in of.values():
            for column in zip(*ys):
                if len(column) > 1:
                    mean = sum(column) / len(column)
                    square += sum((y - mean) ** 2 for y in column)
                    gap = max(gap, *(abs(y - z) / 2 for y in column for z in column))
        mse = square / (pairs * self.channels)
        return {"floor_rms": math.sqrt(mse), "floor_sup": gap, "floor_rel": math.sqrt(mse) / self.deviation}

    def claim(self, group):
        self.group, self.claims = group, {k: float(v) for k, v in self.figures(group).items()}

    def text(self):
        head = {"sequence": "sequence", "grid": f"grid 0 {self.width}", "graph": f"graph {self.max_distance}"}[self.space]
        lines = ["urpe-probe certificate 1", "experiment test", "spec 0", "seed 0", f"space {head}",
                 f"trained {self.trained}", f"prefix {self.prefix}", *["registers"] * self.registers, *["pool mean"] * self.pool]
        lines += ["layer " + " ".join(f"{key}={quote(value)}" for key, value in layer.items()) for layer in self.layers]
        lines += [f"depth {self.depth or 'any'}", f"channels {self.channels}",
                  f"targets {'labels' if self.labels else 'numbers'}", "alone " + " ".join(map(str, self.alone))]
        if not self.labels:
            lines.append(f"deviation {self.deviation.hex()}")
        lines += [f"claim {name} {value.hex()}" for name, value in self.claims.items()]
        first = 0
        for s, targets in zip(self.samples, self.targets):
            size = self.prefix + s.n
            ys = []
            for y in targets:
                ys += ["-"] * self.channels if y is None else \
                    [f"{y[0]}{'' if y[1] else '~'}"] if self.labels else [float(v).hex() for v in y]
            lines += [" ".join([f"sample {s.n}"] + [f"{a}-{b}" for a, b in s.edges]),
                      "t " + " ".join(map(str, s.tokens)),
                      "g " + " ".join(map(str, self.group[first:first + size])), "y " + " ".join(ys)]
            first += size
        return "\n".join(lines + ["end", ""])


def read_case(text):
    """A certificate as a Case."""
    case = Case()
    case.layers, case.samples, case.targets, case.group, case.claims = [], [], [], [], {}
    case.width, case.max_distance, case.deviation = 1, 0, 1.0
    for word, *rest in (line.split() for line in text.splitlines()):
        if word == "space":
            case.space, *sizes = rest
            case.width, case.max_distance = int([*sizes, 1][-1]), int([*sizes, 0][-1])
        elif word in ("trained", "prefix", "channels"):
            setattr(case, word, int(rest[0]))
        elif word in ("registers", "pool"):
            setattr(case, word, True)
        elif word == "layer":
            case.layers.append(dict(unquote(item).split("=", 1) for item in rest))
        elif word == "depth":
            case.depth = None if rest[0] == "any" else int(rest[0])
        elif word == "targets":
            case.labels = rest[0] == "labels"
        elif word == "alone":
            case.alone = list(map(int, rest))
        elif word == "deviation":
            case.deviation = float.fromhex(rest[0])
        elif word == "claim":
            case.claims[rest[0]] = float.fromhex(rest[1])
        elif word == "sample":
            case.samples.append(Sample(int(rest[0]), [], [tuple(map(int, edge.split("-"))) for edge in rest[1:]]))
        elif word == "t":
            case.samples[-1].tokens = list(map(int, rest))
        elif word == "g":
            case.group += map(int, rest)
        elif word == "y" and case.labels:
            case.targets.append([None if y == "-" else (int(y.rstrip("~")), y[-1] != "~") for y in rest])
        elif word == "y":
            rows = [rest[k:k + case.channels] for k in range(0, len(rest), case.channels)]
            case.targets.append([None if "-" in row else [Fraction(float.fromhex(y)) for y in row] for row in rows])
    return case


def random_tokens(rng, n):
    tokens = [rng.randint(0, 1) for _ in range(n)]
    return rng.choice((tokens, tokens, [tokens[0]] * n, tokens[:(n + 1) // 2] + tokens[:n // 2][::-1],
                       [tokens[i % 2] for i in range(n)]))


def random_case(rng, space=None, layers=None):
    case = Case()
    case.space = space or rng.choice(("sequence", "sequence", "sequence", "grid", "graph"))
    case.layers = layers or [random_layer(rng, case.space) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    case.prefix = rng.choice((0, 0, 0, 1, 2)) if case.space == "sequence" else 0
    case.pool = rng.random() < 0.15
    if case.space != "graph" and rng.random() < 0.15:
        case.registers, case.prefix = True, rng.randint(1, 2)
        while any(layer["mask"] != "none" or "convolution" in layer for layer in case.layers):
            case.layers = [random_layer(rng, case.space) for _ in case.layers]
    case.trained, case.width, case.max_distance = rng.randint(1, 6), rng.randint(2, 3), rng.choice((0, 0, 1, 2))
    case.depth = rng.choice((None, None, 1, 2, 3))
    case.labels = rng.random() < 0.3
    case.channels = 1 if case.labels else rng.randint(1, 2)
    case.samples = []
    lengths = rng.choice(([4], [6], [2, 4], [3, 6]))
    for _ in range(rng.randint(1, 4)):
        n = case.width * 2 if case.space == "grid" else rng.choice(lengths)
        edges = [(i, j) for i in range(n) for j in range(i) if rng.random() < 0.5] if case.space == "graph" else []
        case.samples.append(Sample(n, random_tokens(rng, n), edges))
    if rng.random() < 0.5:  # an image of the first
        s = case.samples[0]
        case.samples.append(Sample(s.n, s.tokens[::-1], [(s.n - 1 - a, s.n - 1 - b) for a, b in s.edges]))
    def target():
        if rng.random() < 0.1:
            return None
        if case.labels:
            return rng.randint(0, 2), rng.random() < 0.8
        return [Fraction(rng.randint(-16, 16), 2 ** rng.randint(0, 6)) for _ in range(case.channels)]
    case.targets = [[target() if i == 0 or not case.pool else None for i in range(s.n)] for s in case.samples]
    case.targets[0][0] = (1, True) if case.labels else [Fraction(1, 3 - k) if k else Fraction(1) for k in range(case.channels)]
    case.alone = [0, 0, 0] if rng.random() < 0.3 else [2, 7, 3]
    case.deviation = 1.0
    if not case.labels:
        columns = list(zip(*(y for ys in case.targets for y in ys if y is not None)))
        variance = sum(sum((y - sum(c) / len(c)) ** 2 for y in c) / len(c) for c in columns) / len(columns)
        case.deviation = math.sqrt(variance) * (2 if case.alone[0] else 1) or 0.75
        case.targets = [[y and [Fraction(float(v)) for v in y] for y in ys] for ys in case.targets]
        if not case.alone[0] and not variance:
            case.alone = [1, 1, 1]
    case.claim(case.truth())
    return case


def rng_of(seed):
    return random.Random(seed)


# ---- certificates that the program writes -------------------------------------------------------------------

SPEC = """name: certificates
space: {space}
target: {target}
model: {{precision: double, layers: 1, heads: 2, width: 8, ffn: 4}}
evaluate: {evaluate}
cases:
"""
# Few tokens, so that much merges, and images of each sample; a table trained at 4 ends where samples of 6 go on.
SPECS = {
    "sequence": {"space": "{length: 4, inputs: {identical: 0.4}}", "target": "{kind: pi, vocab: 2}",
                 "evaluate": "{samples: 3, orbit: reversal}"},
    "grid": {"space": "{kind: grid, height: 2, width: 3, inputs: {identical: 0.4}}",
             "target": "{kind: pi, vocab: 2}", "evaluate": "{samples: 3, orbit: reversal}"},
    "graph": {"space": "{kind: graph, nodes: 5, channels: 1, max_distance: 2, inputs: {identical: 0.4}}", "target": "degree", "evaluate": "{samples: 3}"},
}


def case_line(*plan, prefix=0, layers=1, front="bos"):
    """A layer, or the layers of a plan, as one of a spec's cases."""
    kinds = []
    for layer in plan:
        kinds.append([f"attention: {layer['attention']}"])
        for kind in ("encoding", "mask", "normaliser", "c", "convolution"):
            if kind in layer:
                own = [f"{key.split('.')[1]}: {json.dumps(value) if ' ' in value and value[0] != '{' else value}"
                       for key, value in layer.items() if key.startswith(kind + ".")]
                kinds[-1].append(f"{kind}: {{{', '.join([f'kind: {layer[kind]}', *own])}}}")
    keys = [f"model.{part}" for part in kinds[0]] if len(kinds) == 1 else [
        "model.plan: [" + ", ".join(f"{{{', '.join(parts)}}}" for parts in kinds) + "]"]
    keys.append(f"model.layers: {max(layers, len(kinds))}")
    if prefix:
        keys.append(f"model.prefix: {{kind: {front}, tokens: {prefix}}}")
    return f"  - {{{', '.join(keys)}}}\n"


def written(program, folder, spec):
    """The text of each certificate that the program writes of a spec, and its row."""
    path, out = os.path.join(folder, "spec.yaml"), os.path.join(folder, "out")
    with open(path, "w") as file:
        file.write(spec)
    done = subprocess.run([program, "bound", path, "--certificate", out, "--format", "csv"], capture_output=True, text=True)
    if done.returncode or any(": warning: model.mask: " not in line for line in done.stderr.splitlines()):
        raise AssertionError(done.stderr)
    for row in csv.DictReader(done.stdout.splitlines()):
        for depth in ("", "-depth"):
            name = os.path.join(out, row["cell"], f"{row['length']}-{row['subset']}{depth}.txt")
            if not depth or os.path.exists(name):
                with open(name) if os.path.exists(name) else gzip.open(name + ".gz", "rt") as file:
                    yield file.read(), row
