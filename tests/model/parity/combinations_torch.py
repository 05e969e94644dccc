"""Models of parts that are chosen at random, for generate.py: encoding, mask, normaliser, C, convolution
and map of the logits of each layer of a plan, and what is around attention.  test_combinations.c reads
what was drawn: `combination`, indices into the tables here, which it has too."""
import random

import encodings_torch as e
import weights_torch as wt

SEED = 17
CAUSAL, BOTH = 1, 0  # as in generate.py
ENCODINGS = (e.Encoding, e.Rope, e.Toeplitz, e.Alibi)
MASKS = (wt.NONE, wt.CAUSAL, wt.window(3), wt.window(2, 1))
NORMALISERS = (wt.Normaliser, wt.Sink, wt.SoftmaxOne, wt.Entmax, lambda: wt.Sigmoid(minus_log="m"))
LOGITS = (None, "cap", "norm", "cosine")
CANON = ("input", "qkv", "ffn", "hidden")
KINDS, SHARED = ("own", "mean", "first"), (4, 2, 1)


def layer(rng, scattered):
    """Indices: encoding, mask, normaliser, C, map of logits; convolution (0: none; 1: shift; 2: canon) and
    places of it, a bit each."""
    mixed = 0 if scattered else rng.choice((0, 0, 1, 2, 2))
    return (rng.randrange(len(ENCODINGS)), rng.randrange(2 if scattered else len(MASKS)),
            rng.choice((0, 0, 1, 1, 2, 3, 4)), rng.randrange(2), rng.choice((0, 0, 0, 1, 2, 3)),
            mixed, rng.randrange(1, 16) if mixed == 2 else 0)


def case_of(drawn):
    encoding, mask, normaliser, c, logits, mixed, places = drawn
    own = {"encoding": ENCODINGS[encoding], "seen_by": MASKS[mask], "normaliser": NORMALISERS[normaliser](),
           "mask": CAUSAL if MASKS[mask].past else BOTH, "attention": c}
    if logits:
        own["logits"] = LOGITS[logits]
    if mixed:
        own["shift" if mixed == 1 else "canon"] = ("input",) if mixed == 1 else tuple(
            place for k, place in enumerate(CANON) if places >> k & 1)
    return own


def with_names(plan):
    """A table of B or C is that of the first kind with the same encoding, or with C, under masks that both
    hide what follows or both do not."""
    for kind in plan:
        kind["at"] = {
            part: f"plan.{[same(other) for other in plan].index(same(kind))}."
            for part, same in (("encoding", lambda x: (x["encoding"], x["mask"])),
                               ("urpe", lambda x: (x["attention"], x["mask"])))}
    return plan


def draw(k):
    """As an entry of generate.py's BLOCKS."""
    rng = random.Random(100 * SEED + k)
    scattered, turn = k % 3 == 2, 1 + rng.randrange(3)
    layers = rng.sample([layer(rng, scattered) for _ in range(40)], turn)
    while len({tuple(own) for own in layers}) < turn:
        layers = rng.sample([layer(rng, scattered) for _ in range(40)], turn)
    before = 0 if scattered else rng.choice((0, 1, 1, 2))
    rms, gated, gate, kv, values = (rng.randrange(m) for m in (2, 2, 2, 3, 3))
    special = {"heads": 4, "width": 8, "ffn": 3, "channels": 2, "samples": 3, "n": 5,
               "layers": max(2, turn + rng.randrange(2)), "kv_heads": SHARED[kv],
               "combination": [rms, gated, gate, SHARED[kv], values, before, turn,
                               *(number for own in layers for number in own)]}
    if before:
        special["before"] = before
    if k % 3 == 1:
        special["lengths"] = (5, rng.randrange(1, 5), rng.randrange(2, 6))
    if scattered:
        special.update(line=9, places=[sorted(rng.sample(range(9), size)) for size in (5, 3, 4)])
    around = {"norm": rng.randrange(5), "activation": rng.randrange(3), "rms": bool(rms), "gated": bool(gated),
              "gate": bool(gate), "values": KINDS[values]}
    plan = [{**around, **case_of(own)} for own in layers]
    case = {**around, **plan[0]} if turn == 1 else {**around, "plan": with_names(plan)}
    return case.pop("encoding", e.Encoding), special, [case]
