#!/usr/bin/env python3
"""How the recipe of `etp` was looked for: many trainings at once, in PyTorch on one GPU.

    paper-figure-search.py ROUND [--vocab V] [--steps S] [--csv FILE]     ROUND: 1 to 6
    paper-figure-search.py --rounds                                       what each round tries

Every parameter has a leading axis over trials, so that one kernel works for all of them.  Trials
of a round share the tokens of each step and differ in the settings of the round's table and in
their initial weights.  The model is that of paper-figure.yaml, written anew from the formulas:
three pre-norm layers of width 128, four heads, ReLU, tied output, a table of B and of C for each
layer, n = 128, 1024 tokens a step, lengths 24, 32, ..., 128 in turn.  Adds one row a trial to
FILE; paper-figure-search.csv holds what one NVIDIA H200 found, 19 to 48 trials at a time in one
to three minutes, sorted by accuracy within a run.  Round 5 ran twice, with --vocab 10 too.  Rounds
1 and 2 ran in an earlier form of this script, whose trials shared their initial tables and embedding.
"""
import argparse
import csv
import json
import math
import os
import sys

N, LAYERS, HEADS, WIDTH, FFN, BATCH = 128, 3, 4, 128, 256, 8
LENGTHS = (24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128)
SHARES = (6,) + (2,) * 12 + (70,)
WARM_UP, CLIP, BETA1, EPSILON = 100, 1.0, 0.9, 1e-8
# Factors on the rate: b_lr for B, c_lr for C.  Deviations of the start: b_std, c_std, embed_std.
DEFAULTS = dict(urpe=False, lr=2e-3, b_lr=1, c_lr=50, b_std=1, c_std=1, embed_std=0.1, beta2=0.999)


# ---- what was tried -----------------------------------------------------------------------------
def both(settings, urpe, rpe):
    """The same settings `urpe` times with C and `rpe` times without."""
    return [dict(settings, urpe=True)] * urpe + [settings] * rpe


def round_1():
    rpe = [dict(lr=lr, b_lr=b, b_std=s)
           for lr in (1e-3, 2e-3, 4e-3) for b in (1, 4, 12) for s in (0.3, 1, 2)]
    rpe += [dict(beta2=0.99), dict(b_lr=4, beta2=0.99), dict(b_lr=30), dict(b_lr=4, b_std=4),
            dict(b_lr=4, embed_std=0.2), dict(b_lr=4, embed_std=0.05)]
    urpe = [dict(urpe=True, lr=lr, c_lr=c, b_lr=b) for lr in (1e-3, 2e-3, 4e-3)
            for c, b in ((50, 1), (25, 1), (100, 1), (50, 4))]
    urpe += [dict(urpe=True, beta2=0.99), dict(urpe=True, beta2=0.99, lr=4e-3),
             dict(urpe=True, embed_std=0.2)]
    return rpe + urpe


def round_2():
    trials = []
    for beta2 in (0.99, 0.97, 0.95):
        for b_std in (1, 2, 3):
            for lr in (2e-3, 4e-3):
                trials += both(dict(lr=lr, beta2=beta2, b_std=b_std, c_lr=25), 1, 1)
    for b_lr in (0.3, 2):
        trials += both(dict(beta2=0.99, b_std=2, b_lr=b_lr, c_lr=25), 1, 1)
    urpe = [dict(beta2=0.99, c_lr=12), dict(c_lr=12), dict(c_lr=25, c_std=2),
            dict(c_lr=25, b_std=2), dict(c_lr=25, lr=4e-3, b_std=2)]
    rpe = [dict(beta2=0.99, b_std=2, embed_std=0.05), dict(beta2=0.99, b_std=2, embed_std=0.2)]
    return trials + [dict(t, urpe=True) for t in urpe] + rpe


def counted(*rows):
    return [trial for urpe, rpe, settings in rows for trial in both(settings, urpe, rpe)]


def round_3():
    return counted((3, 2, dict(c_lr=25)),
                   (2, 3, dict(beta2=0.99, b_std=2, c_lr=25)),
                   (2, 2, dict(beta2=0.99, b_std=2, b_lr=2, c_lr=25)),
                   (2, 2, dict(lr=4e-3, beta2=0.95, c_lr=25)),
                   (2, 2, dict(beta2=0.99)),
                   (2, 1, dict(lr=4e-3, c_lr=25)),
                   (2, 2, dict(b_std=2)),
                   (2, 2, dict(beta2=0.995, b_std=1.5, c_lr=35)))


def round_4():
    return counted((4, 3, dict(beta2=0.99, b_std=2, b_lr=2, c_lr=25)),
                   (4, 3, dict(beta2=0.99, b_std=2, b_lr=2)),
                   (4, 3, dict(beta2=0.99, b_std=1.5, b_lr=2, c_lr=35)),
                   (4, 3, dict(beta2=0.99, b_std=2, b_lr=4, c_lr=25)),
                   (4, 3, dict(beta2=0.99)),
                   (4, 3, dict(beta2=0.995, b_std=1.5, c_lr=35)))


def round_5():
    return counted((3, 3, dict(beta2=0.99, b_std=2, b_lr=2)),
                   (3, 3, dict(beta2=0.99, b_std=1.5, b_lr=2, c_lr=35)),
                   (3, 2, dict(beta2=0.99, b_std=1.5, b_lr=2)),
                   (2, 0, dict(beta2=0.99)))


def round_6():
    return counted((2, 0, dict(c_lr=25)), (3, 0, dict()),
                   (2, 0, dict(beta2=0.99, c_lr=100)),
                   (3, 0, dict(beta2=0.995, b_std=1.5, c_lr=35)),
                   (2, 0, dict(b_lr=2, b_std=1.5, c_lr=35)),
                   (3, 0, dict(lr=1e-3)),
                   (3, 0, dict(lr=1e-3, c_lr=100, beta2=0.99)),
                   (2, 0, dict(lr=1e-3, c_lr=100)))


ROUNDS = {1: (round_1, 1000, 9000), 2: (round_2, 1000, 7000), 3: (round_3, 10000, 9000),
          4: (round_4, 1000, 8000), 5: (round_5, 10000, 8000), 6: (round_6, 10, 8000)}


# ---- the model, T trials at once ----------------------------------------------------------------
def initial(trials, vocab, torch, device):
    """Every parameter, (T, ...).  Linear layers start as PyTorch's own do, biases at 0."""
    t, symbols = len(trials), vocab + 1
    random = torch.Generator().manual_seed(0)

    def normal(key, *shape):
        deviation = torch.tensor([float(trial[key]) for trial in trials])
        x = torch.randn(t, *shape, generator=random)
        return x * deviation.view(t, *[1] * len(shape))

    def linear(out, fan_in):
        return (2 * torch.rand(t, out, fan_in, generator=random) - 1) / math.sqrt(fan_in)

    p = {"embed": normal("embed_std", symbols, WIDTH)}
    urpe = torch.tensor([float(trial["urpe"]) for trial in trials]).view(t, 1, 1)
    for k in range(LAYERS):
        for name, out, fan_in in (("qkv", 3 * WIDTH, WIDTH), ("o", WIDTH, WIDTH),
                                  ("in", FFN, WIDTH), ("out", WIDTH, FFN)):
            p[f"{k}.{name}"] = linear(out, fan_in)
            p[f"{k}.{name}.bias"] = torch.zeros(t, out)
        for name in ("norm1", "norm2"):
            p[f"{k}.{name}"] = torch.ones(t, WIDTH)
            p[f"{k}.{name}.bias"] = torch.zeros(t, WIDTH)
        p[f"{k}.B"] = normal("b_std", HEADS, 2 * N - 1)
        p[f"{k}.C"] = 1 + urpe * normal("c_std", HEADS, 2 * N - 1)
    p["norm"], p["norm.bias"] = torch.ones(t, WIDTH), torch.zeros(t, WIDTH)
    p["head.bias"] = torch.zeros(t, symbols)
    return {name: x.contiguous().to(device).requires_grad_() for name, x in p.items()}


def forward(p, x, torch):
    """Logits (T, batch n, symbols) of tokens x (batch, n), the same for all trials."""
    t, (batch, n) = p["embed"].shape[0], x.shape

    def linear(h, name):
        return torch.baddbmm(p[name + ".bias"].unsqueeze(1), h, p[name].transpose(1, 2))

    def norm(h, name):
        h = torch.nn.functional.layer_norm(h, (WIDTH,))
        return h * p[name].unsqueeze(1) + p[name + ".bias"].unsqueeze(1)

    def table(name):  # (T, 1, H, n, n), row i and column j hold relation j - i
        middle = p[name][:, :, N - n:N - 1 + n]
        return middle.unfold(-1, n, 1).flip(-2).unsqueeze(1)

    h = p["embed"][:, x.reshape(-1)]
    for k in range(LAYERS):
        qkv = linear(norm(h, f"{k}.norm1"), f"{k}.qkv")
        q, key, v = qkv.view(t, batch, n, 3, HEADS, WIDTH // HEADS).permute(3, 0, 1, 4, 2, 5)
        logits = q @ key.transpose(-1, -2) / math.sqrt(WIDTH // HEADS) + table(f"{k}.B")
        attention = torch.softmax(logits, -1) * table(f"{k}.C")
        o = (attention @ v).transpose(2, 3).reshape(t, batch * n, WIDTH)
        h = h + linear(o, f"{k}.o")
        h = h + linear(torch.relu(linear(norm(h, f"{k}.norm2"), f"{k}.in")), f"{k}.out")
    h = norm(h, "norm")
    return torch.baddbmm(p["head.bias"].unsqueeze(1), h, p["embed"].transpose(1, 2))


def labels(x, vocab, torch):
    """Token 2 i at position i of the first half, the filler (id vocab) in the second."""
    y, half = torch.full_like(x, vocab), x.shape[1] // 2
    y[:, :half] = x[:, 1::2][:, :half]
    return y.reshape(-1)


# ---- training -----------------------------------------------------------------------------------
class Adam:
    """Adam with a rate of its own for each trial; gradients are clipped trial by trial."""

    def __init__(self, p, trials, torch, device):
        def column(key):
            return torch.tensor([float(trial[key]) for trial in trials], device=device)
        self.torch, self.p, self.beta2, self.rate = torch, p, column("beta2"), column("lr")
        self.urpe = column("urpe")
        ones = torch.ones_like(self.rate)
        self.factor = {name: column("b_lr") if name.endswith(".B")
                       else column("c_lr") * self.urpe if name.endswith(".C") else ones
                       for name in p}
        self.m = {name: torch.zeros_like(x) for name, x in p.items()}
        self.v = {name: torch.zeros_like(x) for name, x in p.items()}
        self.schedule = torch.zeros((), device=device)
        self.correction1, self.correction2 = torch.ones((), device=device), ones.clone()

    def state(self):
        return [x.data for x in self.p.values()] + [*self.m.values(), *self.v.values()]

    def schedule_step(self, step, steps):
        rate = step / WARM_UP if step < WARM_UP else (steps - step + 1) / (steps - WARM_UP + 1)
        self.schedule.fill_(rate)
        self.correction1.fill_(1 - BETA1 ** step)
        self.correction2.copy_(1 - self.beta2 ** step)

    def update(self, gradients):
        def wide(x, like):
            return x.view(-1, *[1] * (like.dim() - 1))
        gradients = {name: g * wide(self.urpe, g) if name.endswith(".C") else g
                     for name, g in zip(self.p, gradients)}
        norm = sum(g.flatten(1).square().sum(1) for g in gradients.values()).sqrt()
        clip = self.torch.where(norm > CLIP, CLIP / norm, self.torch.ones_like(norm))
        for name, g in gradients.items():
            g, beta2 = g * wide(clip, g), wide(self.beta2, g)
            m, v = self.m[name], self.v[name]
            m.mul_(BETA1).add_(g, alpha=1 - BETA1)
            v.mul_(beta2).add_(g * g * (1 - beta2))
            rate = wide(self.schedule * self.rate * self.factor[name], g)
            root = (v / wide(self.correction2, g)).sqrt() + EPSILON
            self.p[name].data.sub_(rate * (m / self.correction1) / root)


def captured(step, x, adam, vocab, torch):
    """`step` as a CUDA graph that reads x; the parameters are left as they were."""
    kept = [s.clone() for s in adam.state()]
    x.random_(0, vocab)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()
    for s, k in zip(adam.state(), kept):
        s.copy_(k)

    def replay():
        graph.replay()
        return loss
    return replay


def accuracy(p, vocab, torch, device):
    """Share of the informative half that is right, for each trial, on 32 sequences."""
    random, right = torch.Generator(device=device).manual_seed(12345), 0
    with torch.no_grad():
        for _ in range(4):
            x = torch.randint(0, vocab, (8, N), device=device, generator=random)
            y = labels(x, vocab, torch)
            right = right + (forward(p, x, torch).argmax(-1) == y)[:, y < vocab].float().mean(1)
    return (right / 4).tolist()


def train(trials, vocab, steps, torch, device):
    """Losses of the last step and accuracies, for each trial."""
    p = initial(trials, vocab, torch, device)
    adam = Adam(p, trials, torch, device)
    starts = [int(steps * sum(SHARES[:k]) / sum(SHARES)) for k in range(len(LENGTHS))]
    for k, n in enumerate(LENGTHS):
        x = torch.zeros(BATCH * N // n, n, dtype=torch.long, device=device)

        def step():
            y = labels(x, vocab, torch)
            logits = forward(p, x, torch).reshape(-1, vocab + 1)
            loss = torch.nn.functional.cross_entropy(logits, y.repeat(len(trials)), reduction="none")
            loss = loss.view(len(trials), -1).mean(1)
            adam.update(torch.autograd.grad(loss.sum(), list(p.values())))
            return loss.detach()

        run = captured(step, x, adam, vocab, torch) if device == "cuda" else step
        for at in range(starts[k] + 1, (starts + [steps])[k + 1] + 1):
            x.random_(0, vocab)
            adam.schedule_step(at, steps)
            loss = run()
        print(f"n = {n}: loss {loss.min().item():.3f} at best", file=sys.stderr, flush=True)
    return loss.tolist(), accuracy(p, vocab, torch, device)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("round", type=int, choices=ROUNDS, nargs="?")
    arguments.add_argument("--rounds", action="store_true", help="print the settings; train nothing")
    arguments.add_argument("--vocab", type=int)
    arguments.add_argument("--steps", type=int)
    arguments.add_argument("--csv", default="paper-figure-search.csv")
    a = arguments.parse_args()
    if a.rounds:
        for number, (table, vocab, steps) in ROUNDS.items():
            for trial in table():
                print(number, vocab, steps, json.dumps(trial))
        return
    if a.round is None:
        arguments.error("which round?")
    import torch
    torch.backends.cuda.matmul.allow_tf32 = True
    device = "cuda" if torch.cuda.is_available() else "cpu"
    table, vocab, steps = ROUNDS[a.round]
    vocab, steps = a.vocab or vocab, a.steps or steps
    trials = [dict(DEFAULTS, **trial) for trial in table()]
    loss, right = train(trials, vocab, steps, torch, device)
    new = not os.path.exists(a.csv)
    with open(a.csv, "a", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        if new:
            out.writerow(["round", "vocab", "steps", *DEFAULTS, "loss", "accuracy_informative"])
        for trial, l, r in zip(trials, loss, right):
            unused = {} if trial["urpe"] else {"c_lr": 0, "c_std": 0}
            values = [float(v) for v in {**trial, **unused}.values()]
            out.writerow([a.round, vocab, steps, *(f"{v:g}" for v in (*values, l, r))])


if __name__ == "__main__":
    main()
