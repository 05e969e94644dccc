#!/usr/bin/python3
"""Fixtures of test_parity.c: the Transformer with every positional encoding, every normaliser and
every mask, and with other blocks around its attention, in PyTorch.

Writes NAME.safetensors beside this file, one for each variant of an encoding (VARIANTS), one for
each normaliser and space of masks (WEIGHTS), and one for each kind of block (BLOCKS):

    config                I32 [9]: the names in CONFIG, in that order
    case.attention|mask|norm|activation   I32 [cases]: what each case changes
    weight/NAME           F32: parameters, shared by all cases (a case has no use for some)
    x, cotangent          F32 [samples, n, channels]
    y, dx                 F64 [cases, samples, n, channels]
    gradient/NAME         F64 [cases, ...]: of sum(cotangent * y); zeros where a case has no use
    steps                 I32 [n, n], on a graph: edges of a shortest path; -1: there is none
    lengths               I32 [samples], where they differ: x, y, dx and the cotangent are then
                          [rows, ..] and [cases, rows, ..], sample behind sample
    places, line          I32 [rows], [1], at positions of a longer line: theirs, and its length
    tokens, symbols       I32 [rows] instead of x and dx, [2]: how many they are, and labels
    combination           I32: what combinations_torch.py drew

Weights and inputs are exact in float, so that both precisions start from equal numbers; all
arithmetic is in double and every gradient is autograd's.  A variant is drawn anew until PyTorch's
own float arithmetic comes within CONDITION of its double: where tokens have become nearly equal,
the gradient of a query is a small difference of large numbers, and comparing it in float would
measure the draw and not the program.  The formulas (encodings_torch.py, weights_torch.py and below)
are written from the papers, head by head and without any trick, so that they share no code, no
layout and no derivation with the program.

Run again after a change: tests/model/parity/generate.py [NAME ...] (needs python3-torch).
"""
import json
import math
import os
import struct
import sys
import zlib

import torch

import combinations_torch
import encodings_torch as e
import weights_torch as wt
from encodings_torch import bucket_matrix, layer_norm, offsets

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
CONFIG = ("layers", "heads", "width", "ffn", "n", "samples", "channels", "share", "bucketed")
RPE, URPE = 0, 1
BOTH, CAUSAL = 0, 1
NORM_NONE, NORM_PRE, NORM_POST, NORM_BOTH, NORM_BRANCH = 0, 1, 2, 3, 4
RELU, GELU, SILU = 0, 1, 2
CONDITION = 2e-6  # of the largest magnitude in each tensor; the test asks for 2e-5 in float

# Name of the file: class and what is special: three heads and width 12 unless said otherwise
SMALL = {"width": 8, "heads": 2}
WIDE = {"heads": 2}  # head width 6
FAR = {"n": 41, "samples": 1}
VARIANTS = {
    "none": (e.Encoding, SMALL),
    "none-bucketed": (e.Encoding, {**FAR, **SMALL, "bucketed": 1}),
    "sinusoidal": (e.Sinusoidal, {}),
    "learned": (e.Learned, SMALL),
    "toeplitz": (e.Toeplitz, {}),
    "toeplitz-apart": (e.Toeplitz, {**SMALL, "share": 0}),
    "t5": (e.T5, {**FAR, "bucketed": 1}),
    "alibi": (e.Alibi, {}),
    "alibi-learned": (e.AlibiLearned, SMALL),
    "shaw": (e.Shaw, {}),
    "shaw-keys": (e.ShawKeys, SMALL),
    "transformer-xl": (e.TransformerXl, SMALL),
    "deberta": (e.Deberta, SMALL),
    "deberta-released": (e.DebertaReleased, SMALL),
    "rope": (e.Rope, WIDE),
    "rope-half": (e.RopeHalf, SMALL),
    "rope-part": (e.RopePart, SMALL),
    "kerple-log": (e.KerpleLog, SMALL),
    "kerple-power": (e.KerplePower, {**SMALL, "share": 0}),
    "sandwich": (e.Sandwich, WIDE),
    "fire": (e.Fire, SMALL),
    "fire-long": (e.FireLong, {**SMALL, "share": 0}),
    "xpos": (e.Xpos, WIDE),
    "xpos-steep": (e.XposSteep, SMALL),
    "tupe": (e.Tupe, SMALL),
    "tupe-t5": (e.TupeT5, SMALL),
    "cope": (e.Cope, {}),
    "formula": (e.Formula, {**SMALL, "share": 0}),
    "fox": (e.Fox, SMALL),
}

# Name of the file: class of the encoding, what is special and cases of a normaliser and a mask; as
# `weights` of test_parity.c.  All have C; one more case is the first without it.
TINY = {"layers": 1, "heads": 2, "width": 4, "ffn": 3, "samples": 1, "channels": 2}
MIXED = {**TINY, "heads": 4, "width": 8}
GRID = {**TINY, "n": 36, "side": 6}
GRAPH = {**TINY, "n": 16,
         "edges": ((0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (4, 5), (5, 6), (5, 7), (5, 8), (2, 8),
                   (9, 10), (10, 11), (11, 12), (14, 15))}


def under(normaliser, *masks):
    return [(normaliser, mask) for mask in masks]


def causal(*normalisers):
    return [(normaliser, wt.CAUSAL) for normaliser in normalisers]


WEIGHTS = {
    "weights-sink": (e.Toeplitz, TINY, under(wt.Sink(), wt.CAUSAL, wt.NONE, wt.window(3))),
    "weights-softmax-one": (e.Rope, TINY, under(wt.SoftmaxOne(), wt.CAUSAL, wt.STRICT)),
    "weights-bias-kv": (e.Rope, TINY, under(wt.BiasKv(), wt.CAUSAL, wt.prefix_lm(3))),
    "weights-sigmoid": (e.Toeplitz, TINY, [
        *causal(wt.Sigmoid(), wt.Sigmoid(minus_log="m"), wt.Sigmoid(bias=-0.5, minus_log=None),
                wt.Sigmoid(divide="m")),
        (wt.Sigmoid(minus_log="m", divide="m"), wt.dilated(2, 3)), (wt.Sigmoid(), wt.NONE)]),
    "weights-relu": (e.Rope, TINY, [
        *causal(wt.Relu(), wt.Relu(power=2), wt.Relu(divide="m")),
        (wt.Relu(power=2, divide="m"), wt.strided(3))]),
    "weights-entmax": (e.Toeplitz, TINY, [
        *causal(wt.Entmax(), wt.Entmax(alpha=1.3), wt.Entmax(alpha=2), wt.Entmax(alpha=3),
                wt.Entmax(learned=True)),
        (wt.Entmax(), wt.NONE)]),
    "weights-sparsemax": (e.Encoding, TINY,
                          under(wt.Entmax(alpha=2), wt.NONE, wt.blocks(3, False))),
    "weights-ssmax": (e.Rope, TINY, [*causal(wt.Ssmax(), wt.Ssmax(bias=True)),
                                     (wt.Ssmax(), wt.window(3, 2))]),
    "weights-stick-breaking": (e.Encoding, TINY, [
        *causal(wt.StickBreaking("drop"), wt.StickBreaking("value"), wt.StickBreaking("head"),
                wt.StickBreaking("drop", True), wt.StickBreaking("value", True),
                wt.StickBreaking("head", True)),
        (wt.StickBreaking("drop"), wt.window(3)), (wt.StickBreaking("head", True), wt.window(3))]),
    "weights-softpick": (e.Toeplitz, TINY, under(wt.Softpick(), wt.CAUSAL, wt.STRICT)),
    "weights-elastic": (e.Shaw, TINY, under(wt.Elastic(), wt.CAUSAL, wt.NONE)),
    "weights-average-hard": (e.Encoding, {**TINY, "twins": (1, 4)},
                             [*causal(wt.AverageHard(), wt.AverageHard(tie=0.5)),
                              (wt.AverageHard(), wt.NONE)]),
    "weights-differential": (e.Rope, {**MIXED, "layers": 2},
                             under(wt.Differential(), wt.CAUSAL, wt.NONE)),
    "weights-differential-norm": (e.Rope, {**MIXED, "layers": 2}, [
        *under(wt.Differential(norm=True), wt.CAUSAL, wt.NONE), (wt.Differential(), wt.CAUSAL)]),
    "weights-talking-heads": (e.Toeplitz, MIXED, under(wt.TalkingHeads(), wt.CAUSAL, wt.NONE)),
    "weights-far": (e.T5, {**TINY, "n": 45, "bucketed": 1}, [
        (wt.Normaliser(), wt.STRICT), (wt.Sink(), wt.window(9)),
        (wt.SoftmaxOne(), wt.prefix_lm(20)), (wt.BiasKv(), wt.blocks(16)),
        (wt.Sigmoid(minus_log="m", divide="m"), wt.blocks(16, False)),
        (wt.Relu(power=2, divide="m"), wt.strided(16)), (wt.Entmax(), wt.dilated(5, 4)),
        (wt.Ssmax(), wt.window(20, 2)), (wt.StickBreaking("head"), wt.window(20))]),
    "masks-sequence": (e.Toeplitz, TINY, under(
        wt.Normaliser(), wt.NONE, wt.CAUSAL, wt.STRICT, wt.window(3), wt.window(2, 1),
        wt.dilated(2, 2), wt.dilated(3, 3), wt.strided(3), wt.blocks(3), wt.blocks(3, False),
        wt.prefix_lm(3))),
    "masks-grid": (e.Encoding, GRID, under(
        wt.Normaliser(), wt.NONE, wt.neighbourhood(1, 1), wt.neighbourhood(0, 2),
        wt.neighbourhood(3, 1), wt.CAUSAL, wt.STRICT)),
    "masks-graph": (e.Encoding, GRAPH, under(
        wt.Normaliser(), wt.NONE, wt.hops(0), wt.hops(1), wt.hops(2))),
    "weights-linear": (e.Rope, TINY, [
        *causal(wt.Linear(), wt.Linear("unrotated"), wt.Linear(None), wt.Linear(None, False)),
        (wt.Linear(), wt.NONE), (wt.Linear("unrotated"), wt.window(3, 2))]),
    "weights-linear-bias": (e.Toeplitz, TINY, [
        *causal(wt.Linear(), wt.Linear(None), wt.Linear(None, False)),
        (wt.Linear("unrotated"), wt.STRICT)]),
    "weights-fox": (e.Fox, TINY, [
        (wt.Normaliser(), wt.window(3)), (wt.Normaliser(), wt.dilated(2, 3)), (wt.Sink(), wt.CAUSAL),
        (wt.Linear(None), wt.strided(3))]),
}

# Name of the file: class of the encoding, what is special, and the cases: what is not softmax, pre-norm,
# gelu, causal and rpe.  As `blocks` of test_parity.c.
FOUR = {**TINY, "heads": 4, "width": 8}
RMS, GATED = {"rms": True}, {"gated": True}
WINDOW = {"normaliser": wt.Sink(), "seen_by": wt.window(3)}
BLOCKS = {
    "block-norms": (e.Encoding, {**TINY, "layers": 2}, [
        {"norm": norm, **rms} for rms in ({}, RMS)
        for norm in (NORM_PRE, NORM_POST, NORM_BOTH, NORM_BRANCH)]),
    "block-gated": (e.Encoding, TINY, [
        {"activation": SILU}, *({**GATED, "activation": a} for a in (RELU, GELU, SILU)),
        {**GATED, "norm": NORM_BRANCH}]),
    "block-grouped": (e.Rope, {**FOUR, "kv_heads": 2}, [
        {}, {"attention": URPE, "mask": BOTH}, {"norm": NORM_NONE}]),
    "block-one-key": (e.Toeplitz, {**FOUR, "kv_heads": 1}, [{}, {"attention": URPE}]),
    "block-plan": (e.Rope, {**TINY, "layers": 3}, [
        {"plan": [{}, {"encoding": e.Encoding}]},
        {"plan": [WINDOW, {"encoding": e.Encoding, "mask": BOTH, "seen_by": wt.NONE}]}]),
    "block-prefix": (e.Toeplitz, {**TINY, "before": 1}, [
        {}, {"mask": BOTH}, {"attention": URPE}, {"seen_by": wt.window(3)}]),
    "block-canon": (e.Rope, {**FOUR, "layers": 2, "kv_heads": 2, "before": 1}, [
        {"canon": ("input",), "mask": BOTH}, {"canon": ("qkv",)},
        {"canon": ("input", "qkv", "ffn"), "norm": NORM_BRANCH},
        {"canon": ("ffn",), "residual": False, "norm": NORM_NONE, **GATED}]),
    "block-canon-hidden": (e.Rope, {**FOUR, "layers": 2, "kv_heads": 2, "before": 1}, [
        {"canon": ("hidden",), **GATED}, {"canon": ("input", "qkv", "ffn", "hidden"), **GATED, "attention": URPE},
        {"canon": ("hidden",), "residual": False, "activation": SILU, "norm": NORM_NONE, **GATED}]),
    "block-canon-plain": (e.Encoding, {**FOUR, "kv_heads": 2, "before": 1}, [
        {"canon": ("hidden",), "mask": BOTH}, {"canon": ("hidden",), "activation": RELU, "norm": NORM_POST}]),
    "block-shift": (e.Encoding, TINY, [
        {"shift": ("input",)}, {"shift": ("input", "ffn"), "mask": BOTH, "norm": NORM_POST}]),
    "block-registers": (e.Registers, {**TINY, "layers": 2, "before": 2, "registers": True}, [
        {"mask": BOTH}, {"mask": BOTH, "attention": URPE}]),
    "block-values": (e.Rope, {**FOUR, "layers": 3, "kv_heads": 2}, [
        {"values": "mean"}, {"values": "first", "attention": URPE}, {"gate": True, "norm": NORM_NONE},
        {"values": "mean", "gate": True, "canon": ("input",), "mask": BOTH}]),
    "block-lengths": (e.Toeplitz, {**FOUR, "samples": 3, "lengths": (7, 3, 5), "before": 1}, [
        {"attention": URPE}, {"mask": BOTH, "normaliser": wt.Sink()},
        {"seen_by": wt.window(3), "canon": ("input",), "normaliser": wt.Entmax()}]),
    "block-places": (e.Rope, {**FOUR, "samples": 3, "line": 9, "kv_heads": 2,
                              "places": ((0, 2, 3, 7, 8), (1, 4, 5), (2, 3, 4, 6))}, [
        {"attention": URPE}, {"mask": BOTH, "normaliser": wt.Sink()}, {"normaliser": wt.Ssmax()}]),
    "block-embed-norm": (e.Learned, {**FOUR, "symbols": 5, "labels": 3, "before": 2, "embed_norm": True}, [
        {}, {"attention": URPE, "mask": BOTH, "norm": NORM_POST}, {"rms": True}]),
    "block-prefix-two": (e.Rope, {**TINY, "before": 2}, [{}, {"mask": BOTH}]),
    "block-logits": (e.Rope, TINY, [{"logits": "cap"}, {"logits": "norm"}, {"logits": "cosine"}]),
    "block-logits-bias": (e.Toeplitz, {**FOUR, "kv_heads": 2}, [
        {"logits": "cap"}, {"logits": "norm"}, {"logits": "cosine"}]),
}


COMBINATIONS = {f"combination-{k}": combinations_torch.draw(k) for k in range(10)}


# ---- the model ----------------------------------------------------------------------------------
def draw_weights(c, encoding):
    """Far from any initial value, so that every term counts; rounded to float."""
    w = {}
    d, f, channels, heads = c["width"], c["ffn"], c["channels"], c["heads"]

    kv = d // heads * c.get("kv_heads", heads)
    kinds = [kind for case in c["cases"] for kind in (case, *case.get("plan", ()))]
    gated = any(kind.get("gated") for kind in kinds)

    def matrix(name, out, into):
        w[name + ".weight"] = torch.randn(out, into) / math.sqrt(into)
        w[name + ".bias"] = 0.3 * torch.randn(out)

    def norm(name):
        w[name + ".weight"] = 1 + 0.3 * torch.randn(d)
        w[name + ".bias"] = 0.3 * torch.randn(d)

    if "symbols" in c:
        w["embed.weight"] = torch.randn(c["symbols"], d)
    else:
        matrix("embed", d, channels)
    if c.get("embed_norm"):
        norm("embed_norm")
    for layer in range(c["layers"]):
        prefix = f"layers.{layer}."
        for name in "qkvo":
            matrix(prefix + "attn." + name, kv if name in "kv" else d, d)
        norm(prefix + "norm1")
        norm(prefix + "norm2")
        matrix(prefix + "ffn.in", f, d)
        matrix(prefix + "ffn.out", d, f)
        if any(case.get("norm") == NORM_BOTH for case in c["cases"]):
            norm(prefix + "after1")
            norm(prefix + "after2")
        if gated:
            matrix(prefix + "ffn.up", f, d)
        if any(kind.get("gate") for kind in kinds):
            matrix(prefix + "attn.gate", d, d)
        if any("logits" in kind for kind in kinds):
            w[prefix + "logits.query"] = 1 + 0.3 * torch.randn(d // heads)
            w[prefix + "logits.key"] = 1 + 0.3 * torch.randn(d // heads)
            w[prefix + "logits.scale"] = 0.5 * torch.randn(heads)
            if "combination" not in c:
                w[prefix + "logits.scale"][0] = 5  # beyond log 100
        for place, size in (("input", d), ("qkv", d + 2 * kv), ("ffn", d), ("hidden", f * (1 + gated))):
            if any(place in kind.get("canon", ()) for kind in kinds):
                w[f"{prefix}conv.{place}.weight"] = 0.5 * torch.randn(size, 3)
    if "before" in c:
        w["prefix.weight"] = torch.randn(c["before"], d)
    norm("norm")
    matrix("head", c.get("labels", channels), d)

    def table(name, shape, draw, apart):
        for layer in range(c["layers"] if apart else 1):
            w[(f"layers.{layer}." if apart else "") + name] = draw(shape)

    for name, shape in encoding.shapes().items():
        apart = name in encoding.per_layer or (name in encoding.tables and not c["share"])
        table("encoding." + name, shape, lambda s, key=name: encoding.draw(key, s), apart)
    relations = int(c["relation"].max()) + 1 if "relation" in c else \
        32 if c["bucketed"] else 2 * c["n"] - 1
    table("urpe.c", (heads, relations), lambda s: 1 + 0.5 * torch.randn(s),
          not c["share"])
    for kind in kinds:
        own = kind["normaliser"]
        for name, shape in own.shapes(c).items():
            if f"layers.0.normaliser.{name}" not in w:
                table("normaliser." + name, shape, lambda s, key=name: own.draw(key, s), True)
    for kind in (kind for kind in kinds if "at" in kind):
        for name, shape in kind["encoding"].shapes().items():
            w[kind["at"]["encoding"] + "encoding." + name] = kind["encoding"].draw(name, shape)
        w[kind["at"]["urpe"] + "urpe.c"] = 1 + 0.5 * torch.randn(heads, relations)
    return {name: value.float().double() for name, value in w.items()}


def relation_of(c, causal):
    """(n, n): which number of C a pair has."""
    n = c["n"]
    if "relation" in c:
        return c["relation"]
    return bucket_matrix(n, causal) if c["bucketed"] else offsets(n) + n - 1


def mixed(case, w, prefix, place, x):
    """Canon layers and token shift: along the line, with zeros before the start."""
    def back(t):
        return torch.cat([torch.zeros_like(x[:, :t]), x[:, :x.shape[1] - t]], 1)
    if place in case.get("canon", ()):
        weight = w[f"{prefix}conv.{place}.weight"]
        y = sum(weight[:, t] * back(t) for t in range(weight.shape[1]))
        return y + x if case.get("residual", True) else y
    if place in case.get("shift", ()):
        half = x.shape[-1] // 2
        return torch.cat([back(1)[..., :half], x[..., half:]], -1)
    return x


def attention(c, encoding, case, w, layer, x, first):
    """first: the first layer's values, which it leaves there."""
    """The theory's head (Luo et al. 2022, eqs. 3 and 5), all of them, and the output projection."""
    n, heads = c["n"], c["heads"]
    causal = case["mask"] == CAUSAL
    normaliser, seen = case["normaliser"], case["seen"]
    if "present" in c:  # what is not there is seen by nothing that is
        seen = seen & (c["present"][:, None, None, :] | ~c["present"][:, None, :, None])

    def parameter(name):
        own = f"layers.{layer}.{name}"
        return w[own] if own in w else w[case.get("at", {}).get(name.split(".")[0], "") + name]

    def linear(x, name):
        return x @ parameter(f"attn.{name}.weight").T + parameter(f"attn.{name}.bias")

    sizes = [w[f"layers.{layer}.attn.{name}.weight"].shape[0] for name in "qkv"]
    x = mixed(case, w, f"layers.{layer}.", "input", x)
    qkv = mixed(case, w, f"layers.{layer}.", "qkv", torch.cat([linear(x, s) for s in "qkv"], -1))

    def split(x):
        x = x.view(x.shape[0], n, -1, c["width"] // heads).transpose(1, 2)
        return x.repeat_interleave(heads // x.shape[1], 1)
    q, k, v = (split(x) for x in qkv.split(sizes, -1))
    first = v if first is None else first
    v = {"own": v, "mean": (v + first) / 2, "first": first}[case.get("values", "own")]
    if case.get("logits") == "norm":  # Qwen3
        q, k = (x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6) * parameter("logits." + name)
                for x, name in ((q, "query"), (k, "key")))
    if case.get("logits") == "cosine":  # Swin v2, without its 1/sqrt(d)
        size = torch.exp(parameter("logits.scale").clamp(max=math.log(100)))[:, None, None]
        q, k = (torch.nn.functional.normalize(x, dim=-1) for x in (q, k))
        q = q * size * math.sqrt(q.shape[-1])
    raw = q, k
    q, k = encoding.rotate(q, k)

    def encoding_parameter(name):
        return parameter("encoding." + name)

    def normaliser_parameter(name):
        return parameter("normaliser." + name)
    s = encoding.logits(q, k, encoding_parameter, causal)
    s = s + encoding.added(x, encoding_parameter, seen)
    products = e.Encoding.logits(encoding, q, k, encoding_parameter, causal)
    if case.get("logits") == "cap":  # Gemma 2
        added, products = s - products, 0.7 * torch.tanh(products / 0.7)
        s = products + added
    about = {**c, "layer": layer, "raw": raw, "rotate": encoding.rotate, "added": s - products}
    s = normaliser.logits(products, s, normaliser_parameter)
    p, rest = normaliser.attend(s, seen, q, about, normaliser_parameter)
    if case["attention"] == URPE:
        p = p * parameter("urpe.c")[:, relation_of(c, causal)]
    o = p @ v + rest + encoding.value(p, encoding_parameter)
    o = o.transpose(1, 2).reshape(x.shape[0], n, c["width"])
    o = normaliser.output(o, about, normaliser_parameter)
    return linear(o * torch.sigmoid(linear(x, "gate")) if case.get("gate") else o, "o"), first


def model(c, encoding, case, w, x):
    def linear(x, name):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    def norm(x, name):
        if case.get("rms"):
            return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * w[name + ".weight"]
        return layer_norm(x, w[name + ".weight"], w[name + ".bias"])

    def ffn(x, prefix, case):
        functional = torch.nn.functional
        x = mixed(case, w, prefix, "ffn", x)
        h = [linear(x, prefix + name) for name in ("ffn.in", *(["ffn.up"] if case.get("gated") else []))]
        if "hidden" in case.get("canon", ()):
            h = mixed(case, w, prefix, "hidden", torch.cat(h, -1)).chunk(len(h), -1)
        act = (torch.relu, functional.gelu, functional.silu)[case["activation"]](h[0])
        return linear(act * h[1] if case.get("gated") else act, prefix + "ffn.out")

    def encoding_parameter(name):
        return w["encoding." + name]
    x, before, first = w["embed.weight"][x.long()] if "symbols" in c else linear(x, "embed"), c.get("before", 0), None
    if before:
        x = torch.cat([w["prefix.weight"].expand(x.shape[0], -1, -1), x], 1)
    x = x + encoding.add_to_input(encoding_parameter)
    if c.get("embed_norm"):
        x = layer_norm(x, w["embed_norm.weight"], w["embed_norm.bias"])
    for layer in range(c["layers"]):
        prefix, kind = f"layers.{layer}.", case
        if "plan" in case:
            kind = case["plan"][layer % len(case["plan"])]

        def attend(x):
            nonlocal first
            y, first = attention(c, kind.get("encoding", encoding), kind, w, layer, x, first)
            return y
        if case["norm"] == NORM_PRE:
            x = x + attend(norm(x, prefix + "norm1"))
            x = x + ffn(norm(x, prefix + "norm2"), prefix, kind)
        elif case["norm"] == NORM_POST:
            x = norm(x + attend(x), prefix + "norm1")
            x = norm(x + ffn(x, prefix, kind), prefix + "norm2")
        elif case["norm"] == NORM_BOTH:
            x = x + norm(attend(norm(x, prefix + "norm1")), prefix + "after1")
            x = x + norm(ffn(norm(x, prefix + "norm2"), prefix, kind), prefix + "after2")
        elif case["norm"] == NORM_BRANCH:
            x = x + norm(attend(x), prefix + "norm1")
            x = x + norm(ffn(x, prefix, kind), prefix + "norm2")
        else:
            x = x + attend(x)
            x = x + ffn(x, prefix, kind)
    if case["norm"] in (NORM_PRE, NORM_BOTH, NORM_BRANCH):
        x = norm(x, "norm")
    return linear(x[:, before:], "head")


# ---- files --------------------------------------------------------------------------------------
def write_safetensors(path, tensors):
    """name -> tensor; those of 8 bytes first, so that all are aligned."""
    kinds = {torch.float64: ("F64", "d"), torch.float32: ("F32", "f"), torch.int32: ("I32", "i")}
    header, data = {}, b""
    for name, t in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        kind, code = kinds[t.dtype]
        values = t.detach().flatten().tolist()
        piece = struct.pack(f"<{len(values)}{code}", *values)
        header[name] = {"dtype": kind, "shape": list(t.shape),
                        "data_offsets": [len(data), len(data) + len(piece)]}
        data += piece
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def cases_of(c, encoding, index):
    """rpe and urpe, both masks where both are defined; norms and activations turn over them."""
    cases = []
    for mask in (BOTH, CAUSAL):
        if mask == BOTH and encoding.causal_only:
            continue
        for attention_kind in (RPE, URPE):
            turn = index + len(cases)
            cases.append({"attention": attention_kind, "mask": mask, "norm": turn % 3,
                          "activation": turn // 2 % 2, "normaliser": wt.Normaliser(),
                          "seen": (wt.CAUSAL if mask == CAUSAL else wt.NONE).matrix(c)})
    return cases


def weights_cases(c, pairs, index):
    """Alike but for normaliser and mask, so that what differs is theirs; the last one has no C."""
    cases = [{"attention": URPE, "mask": CAUSAL if mask.past else BOTH, "norm": index % 3,
              "activation": index // 2 % 2, "normaliser": normaliser, "seen": mask.matrix(c)}
             for normaliser, mask in pairs]
    return cases + [{**cases[0], "attention": RPE}]


def block_case(c, own):
    """`own` with all that it does not say, in each kind of its layers too."""
    case = {"attention": RPE, "mask": CAUSAL, "norm": NORM_PRE, "activation": GELU,
            "normaliser": wt.Normaliser(), **own}
    mask = own.get("seen_by", wt.CAUSAL if case["mask"] == CAUSAL else wt.NONE)
    case["seen"] = mask.matrix(c)
    if "encoding" in own:
        case["encoding"] = own["encoding"](c)
    if "plan" in own:
        case["plan"] = [block_case(c, kind) for kind in own["plan"]]
    return case


# ---- spaces -------------------------------------------------------------------------------------
def steps_of(c):
    """Edges of a shortest path between the nodes of a graph; -1: there is none."""
    n = c["n"]
    steps = [[0 if i == j else math.inf for j in range(n)] for i in range(n)]
    for i, j in c["edges"]:
        steps[i][j] = steps[j][i] = 1
    for k in range(n):
        for i in range(n):
            for j in range(n):
                steps[i][j] = min(steps[i][j], steps[i][k] + steps[k][j])
    return [[-1 if step == math.inf else step for step in row] for row in steps]


def register_relations(n, before):
    """n positions on a line; then what each register is to them, they to it, and registers to each
    other."""
    own = 2 * n - 1

    def relation(i, j):
        if i < before and j < before:
            return own + 2 * before + i * before + j
        if i < before:
            return own + before + i
        return own + j if j < before else j - i + n - 1
    return torch.tensor([[relation(i, j) for j in range(n + before)] for i in range(n + before)])


def with_space(c):
    """The relations of C on a grid, (dy, dx), and on a graph: steps, and n where there is no path."""
    n, side = c["n"], c.get("side")
    if side:
        down = torch.arange(n) // side
        across = torch.arange(n) % side
        dy, dx = down[None, :] - down[:, None], across[None, :] - across[:, None]
        c["relation"] = (dy + side - 1) * (2 * side - 1) + dx + side - 1
    if "registers" in c:
        c["relation"] = register_relations(n, c["before"])
    if "edges" in c:
        c["steps"] = steps_of(c)
        steps = torch.tensor(c["steps"])
        c["relation"] = torch.where(steps < 0, torch.full_like(steps, n), steps)
    return c


def run(c, encoding, case, w, x, cotangent):
    """[y, dx, gradients in the order of w], in the default precision."""
    given = [t.to(torch.get_default_dtype()).detach().requires_grad_()
             for t in (torch.zeros(1) if "symbols" in c else x, *w.values())]
    y = model(c, encoding, case, dict(zip(w, given[1:])), x if "symbols" in c else given[0])
    loss = (cotangent.to(y.dtype) * y).sum()
    found = torch.autograd.grad(loss, given, allow_unused=True)
    return [y.detach()] + [torch.zeros_like(t) if g is None else g for t, g in zip(given, found)]


def rounding(exact, rounded):
    """The largest relative difference; what is zero but for rounding does not count."""
    largest = max(t.abs().max().item() for t in exact)
    worst = 0.0
    for a, b in zip(exact, rounded):
        size = a.abs().max().item()
        if size > 1e-12 * largest:
            worst = max(worst, (a - b.double()).abs().max().item() / size)
    return worst


def draw(c, kind, seed):
    """Weights, inputs and what each case makes of them, or None where float does not suffice."""
    torch.manual_seed(seed)
    encoding = kind(c)
    w = draw_weights(c, encoding)
    shape = (c["samples"], c["n"] - c.get("before", 0), c["channels"])
    x, cotangent = torch.randn(shape).float(), torch.randn(*shape[:2], c.get("labels", shape[2])).float()
    if "symbols" in c:
        x = torch.randint(c["symbols"], shape[:2], dtype=torch.int32)
    if "present" in c:
        cotangent = cotangent * c["present"][:, c.get("before", 0):, None]
    if "twins" in c:  # equal tokens
        x[:, c["twins"][1]] = x[:, c["twins"][0]]
    results = []
    for case in c["cases"]:
        results.append(run(c, encoding, case, w, x, cotangent))
        torch.set_default_dtype(torch.float32)
        rounded = run(c, encoding, case, w, x, cotangent)
        torch.set_default_dtype(torch.float64)
        if rounding(results[-1], rounded) > CONDITION:
            return None
    return w, x, cotangent, results


def with_samples(c):
    """Samples of several lengths, or at places of a line: which of the n positions are there."""
    places = c.get("places", [range(n) for n in c.get("lengths", ())])
    if places:
        before = c.get("before", 0)
        c["present"] = torch.tensor([[j < before or j - before in own for j in range(c["n"])] for own in places])
    return c


def about_samples(c):
    """What a fixture says of them, and what becomes of arrays of (.., samples, n, ..) from dimension `at`
    on."""
    if "present" not in c:
        return {}, lambda t, at: t
    own = c["present"][:, c.get("before", 0):]
    out = {"lengths": own.sum(-1).int()}
    if "places" in c:
        out["places"], out["line"] = own.nonzero()[:, 1].int(), torch.tensor([c["line"]]).int()
    return out, lambda t, at: t.flatten(at, at + 1).index_select(at, own.flatten().nonzero()[:, 0])


def cases_of_table(c, kind, index, cases):
    if cases is None:
        return cases_of(c, kind, index)
    if isinstance(cases[0], dict):
        return [block_case(c, case) for case in cases]
    return weights_cases(c, cases, index)


def generate(folder, name, kind, special, index, cases=None):
    c = with_space({"layers": 2, "heads": 3, "width": 12, "ffn": 5, "n": 7, "samples": 2,
                    "channels": 3, "share": 1, "bucketed": 0, **special})
    longest = max((len(own) for own in c.get("places", ())), default=c["n"])
    c["n"] = c.get("line", c["n"]) + c.get("before", 0)
    with_samples(c)
    c["cases"] = cases_of_table(c, kind, index, cases)
    seed, drawn = zlib.crc32(name.encode()), None
    while drawn is None:
        seed += 1
        drawn = draw(c, kind, seed)
    w, x, cotangent, results = drawn
    about, packed = about_samples(c)
    sizes = {**c, "n": longest, "channels": 0 if "symbols" in c else c["channels"]}
    out = {"config": torch.tensor([sizes[key] for key in CONFIG], dtype=torch.int32),
           "tokens" if "symbols" in c else "x": packed(x, 0), "cotangent": packed(cotangent, 0), **about}
    if "symbols" in c:
        out["symbols"] = torch.tensor([c["symbols"], c["labels"]]).int()
    if "combination" in c:
        out["combination"] = torch.tensor(c["combination"]).int()
    if "steps" in c:
        out["steps"] = torch.tensor(c["steps"], dtype=torch.int32)
    for key in ("attention", "mask", "norm", "activation"):
        out["case." + key] = torch.tensor([case[key] for case in c["cases"]], dtype=torch.int32)
    stacked = [torch.stack(of_each_case) for of_each_case in zip(*results)]
    out["y"] = packed(stacked[0], 1)
    if "symbols" not in c:
        out["dx"] = packed(stacked[1], 1)
    for key, gradient in zip(w, stacked[2:]):
        out["weight/" + key] = w[key].float()
        out["gradient/" + key] = gradient
    write_safetensors(os.path.join(folder, name + ".safetensors"), out)


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    tables = (VARIANTS, WEIGHTS, BLOCKS, COMBINATIONS)
    wanted = sys.argv[1:] or [name for table in tables for name in table]
    for table in tables:
        for index, (name, entry) in enumerate(table.items()):
            if name in wanted:
                generate(folder, name, entry[0], entry[1], index, *entry[2:])


if __name__ == "__main__":
    main()
