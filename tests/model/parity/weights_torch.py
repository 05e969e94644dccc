"""Masks and normalisers in PyTorch, for generate.py: written from their definitions in the papers
and projects that are cited beside them, and apart from the program.  s, the logits, and p, the
weights: (samples, heads, n, n); seen (n, n): whether query i sees key j; w(name): a parameter of
this layer.  Sums are as the definition has them, without the forms that keep them in range."""
import math

import torch


# ---- masks --------------------------------------------------------------------------------------
class Mask:
    """`past`: keys behind the query are hidden, j > i.  i and j count from 0."""
    def __init__(self, sees, past=False):
        self.sees, self.past = sees, past

    def matrix(self, c):
        n = c["n"]
        return torch.tensor([[bool(self.sees(c, i, j)) for j in range(n)] for i in range(n)])


NONE = Mask(lambda c, i, j: True)
CAUSAL = Mask(lambda c, i, j: j <= i, past=True)
STRICT = Mask(lambda c, i, j: j < i, past=True)


def window(past, future=0):
    """Beltagy et al. 2020; the query counts among the keys of the past."""
    return Mask(lambda c, i, j: i - past < j <= i + future, past=future == 0)


def dilated(step, size):
    """Likewise: `size` keys, the query's own and every step-th before it."""
    return Mask(lambda c, i, j: j in [i - step * t for t in range(size)], past=True)


def strided(length):
    """Child et al. 2019: the last keys, and every length-th before them."""
    return Mask(lambda c, i, j: j <= i and (i - j < length or (i - j) % length == 0), past=True)


def blocks(size, causal=True):
    """Llama 4: the keys of the query's own block."""
    return Mask(lambda c, i, j: i // size == j // size and (j <= i or not causal), past=causal)


def prefix_lm(prefix):
    """Raffel et al. 2020: the first keys, and those up to the query's own."""
    return Mask(lambda c, i, j: j < prefix or j <= i)


def neighbourhood(dy, dx):
    """Ramachandran et al. 2019, on a grid in row-major order."""
    def sees(c, i, j):
        row, column = j // c["side"] - i // c["side"], j % c["side"] - i % c["side"]
        return abs(row) <= dy and abs(column) <= dx
    return Mask(sees)


def hops(most):
    """Nodes of a graph at most so many edges away; -1: there is no path."""
    return Mask(lambda c, i, j: 0 <= c["steps"][i][j] <= most)


# ---- normalisers --------------------------------------------------------------------------------
def over(a, total):
    """a / total, and 0 where the total is: a row without keys."""
    none = total == 0
    return torch.where(none, torch.zeros_like(a), a / total.masked_fill(none, 1))


def exponentials(s, seen):
    return torch.exp(s.masked_fill(~seen, 0)) * seen


def plain_softmax(s, seen):
    e = exponentials(s, seen)
    return over(e, e.sum(-1, keepdim=True))


def by_head(x):
    """(heads) beside (samples, heads, n, n)"""
    return x[:, None, None]


class Normaliser:
    """Softmax, in the form that PyTorch has."""
    def shapes(self, c):
        return {}

    def draw(self, name, shape):
        return 0.5 * torch.randn(shape)

    def logits(self, products, s, w):
        """From scale q.k, and the same with what the encoding adds."""
        return s

    def weights(self, s, seen, c, w):
        p = torch.softmax(s.masked_fill(~seen & seen.any(-1, keepdim=True), -math.inf), -1)
        return p.masked_fill(~seen, 0)

    def attend(self, s, seen, q, c, w):
        """Weights, and what is added to the output and C does not reach."""
        return self.weights(s, seen, c, w), 0

    def output(self, o, c, w):
        """From what heads give, side by side (samples, n, width)."""
        return o


class Sink(Normaliser):
    """openai/gpt-oss: a logit of each head in the denominator."""
    def shapes(self, c):
        return {"sink": (c["heads"],)}

    def weights(self, s, seen, c, w):
        e = exponentials(s, seen)
        return e / (e.sum(-1, keepdim=True) + by_head(w("sink")).exp())


class SoftmaxOne(Normaliser):
    """Miller 2023."""
    def weights(self, s, seen, c, w):
        e = exponentials(s, seen)
        return e / (1 + e.sum(-1, keepdim=True))


class BiasKv(Normaliser):
    """PyTorch, MultiheadAttention(add_bias_kv): one more key and value, visible to all."""
    def shapes(self, c):
        shape = (c["heads"], c["width"] // c["heads"])
        return {"key": shape, "value": shape}

    def attend(self, s, seen, q, c, w):
        key, value = w("key")[:, None, :], w("value")[:, None, :]
        own = (q * key).sum(-1, keepdim=True) / math.sqrt(q.shape[-1])
        visible = torch.cat([seen, torch.ones(c["n"], 1, dtype=torch.bool)], -1)
        p = plain_softmax(torch.cat([s, own], -1), visible)
        return p[..., :-1], p[..., -1:] * value


class Sigmoid(Normaliser):
    """Ramapuram et al. 2024.  minus_log, divide: of "n", the length, or "m", the keys seen."""
    def __init__(self, bias=0.0, minus_log="n", divide=None):
        self.bias, self.minus_log, self.divide = bias, minus_log, divide

    def weights(self, s, seen, c, w):
        count = {"n": torch.full((c["n"], 1), c["n"]), "m": seen.sum(-1, keepdim=True).clamp(min=1),
                 None: torch.ones(c["n"], 1)}
        s = s + self.bias - count[self.minus_log].to(s.dtype).log()
        return torch.sigmoid(s) * seen / count[self.divide].to(s.dtype)


class Relu(Normaliser):
    """Wortsman et al. 2023."""
    def __init__(self, power=1, divide="n"):
        self.power, self.divide = power, divide

    def weights(self, s, seen, c, w):
        m = seen.sum(-1, keepdim=True).clamp(min=1).to(s.dtype)
        return torch.relu(s) ** self.power * seen / (c["n"] if self.divide == "n" else m)


class Linear(Normaliser):
    """Katharopoulos et al. 2020; unrotated, Su et al. 2021; raw without a sum, and without features
    the products of retention.  What the encoding adds to logits is a factor, by its exponential."""
    def __init__(self, divide="sum", features=True):
        self.divide, self.features = divide, features

    def phi(self, x):
        return torch.nn.functional.elu(x) + 1 if self.features else x

    def attend(self, s, seen, q, c, w):
        def products(q, k):
            return q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        factor = torch.exp(c["added"]) * seen
        plain = [self.phi(x) for x in c["raw"]]
        above = products(*c["rotate"](*plain))
        if self.divide is None:
            return above * factor, 0
        below = products(*plain) if self.divide == "unrotated" else above
        return over(above * factor, (below * factor).sum(-1, keepdim=True)), 0


class Entmax(Normaliser):
    """Peters et al. 2019; the threshold by bisection, and its derivative by that of the equation
    which it solves.  Learned (Correia et al. 2019): alpha between 1 and 2."""
    def __init__(self, alpha=1.5, learned=False):
        self.alpha, self.learned = alpha, learned

    def shapes(self, c):
        return {"alpha": (c["heads"],)} if self.learned else {}

    def weights(self, s, seen, c, w):
        alpha = 1 + torch.sigmoid(by_head(w("alpha"))) if self.learned else self.alpha
        x, power = (alpha - 1) * s, 1 / (alpha - 1)

        def at(x, tau, power):
            inside = seen & (x > tau)
            return torch.where(inside, x - tau, torch.ones_like(x)) ** power * inside
        with torch.no_grad():
            high = x.masked_fill(~seen, -math.inf).amax(-1, keepdim=True)
            low = high - 1
            for _ in range(100):
                middle = (low + high) / 2
                large = at(x, middle, power).sum(-1, keepdim=True) > 1
                low, high = torch.where(large, middle, low), torch.where(large, high, middle)
            slope = -(power * at(x, low, power - 1)).sum(-1, keepdim=True)
        tau = low - over(at(x, low, power).sum(-1, keepdim=True) - 1, slope)
        return at(x, tau, power)


class Ssmax(Normaliser):
    """Nakanishi 2025: a temperature from the number of keys."""
    def __init__(self, bias=False):
        self.bias = bias

    def shapes(self, c):
        return {name: (c["heads"],) for name in (("scale", "bias") if self.bias else ("scale",))}

    def weights(self, s, seen, c, w):
        m = seen.sum(-1, keepdim=True).clamp(min=1).to(s.dtype)
        temperature = by_head(w("scale")) * m.log()
        if self.bias:
            temperature = temperature + by_head(w("bias"))
        return plain_softmax(temperature * s, seen)


class StickBreaking(Normaliser):
    """Tan et al. 2024, key by key from the query backwards; remainder: what is left at the end is
    dropped, goes to the query's own value, or to a vector of the head (IBM/dolomite-engine)."""
    def __init__(self, remainder="drop", current=False):
        self.remainder, self.current = remainder, current

    def shapes(self, c):
        return {"rest": (c["heads"], c["width"] // c["heads"])} if self.remainder == "head" else {}

    def attend(self, s, seen, q, c, w):
        n, beta = c["n"], torch.sigmoid(s)
        rows, left_of = [], []
        for i in range(n):
            left, row = torch.ones_like(s[..., 0, 0]), [torch.zeros_like(s[..., 0, 0])] * n
            for j in range(i if self.current else i - 1, -1, -1):
                if seen[i, j]:
                    row[j] = beta[..., i, j] * left
                    left = left * (1 - beta[..., i, j])
            if self.remainder == "value":
                row[i] = row[i] + left
            rows.append(torch.stack(row, -1))
            left_of.append(left)
        rest = 0
        if self.remainder == "head":
            rest = torch.stack(left_of, -1)[..., None] * w("rest")[:, None, :]
        return torch.stack(rows, -2), rest


class Softpick(Normaliser):
    """Zuhri et al. 2025, without the 1e-8 of the published code."""
    def weights(self, s, seen, c, w):
        x = (torch.exp(s) - 1) * seen
        return over(torch.relu(x), x.abs().sum(-1, keepdim=True))


class Elastic(Normaliser):
    """Lazy Attention 2026, its shift over the number of keys."""
    def shapes(self, c):
        return {"tau": (c["heads"],)}

    def draw(self, name, shape):
        """The first head cuts many weights, the last none."""
        return torch.linspace(-0.8, 0.3, *shape) + 0.1 * torch.randn(shape)

    def weights(self, s, seen, c, w):
        m = seen.sum(-1, keepdim=True).clamp(min=1).to(s.dtype)
        return torch.relu(plain_softmax(s, seen) + by_head(w("tau")) / m) * seen


class AverageHard(Normaliser):
    """Merrill and Sabharwal 2022, ties shared; softmax's Jacobian stands in for the gradient.
    Logits closer than `tie` to the largest are equal to it."""
    def __init__(self, tie=1e-5):
        self.tie = tie

    def weights(self, s, seen, c, w):
        largest = s.masked_fill(~seen, -math.inf).amax(-1, keepdim=True)
        hit = ((s >= largest - self.tie) & seen).to(s.dtype)
        soft = plain_softmax(s, seen)
        return over(hit, hit.sum(-1, keepdim=True)) + (soft - soft.detach())


class TalkingHeads(Normaliser):
    """Shazeer et al. 2020: heads mix products of q and k, and weights."""
    def shapes(self, c):
        square = (c["heads"], c["heads"])
        return {"mix_logits": square, "mix_weights": square}

    def logits(self, products, s, w):
        return torch.einsum("kh,bhij->bkij", w("mix_logits"), products) + (s - products)

    def weights(self, s, seen, c, w):
        return torch.einsum("mk,bkij->bmij", w("mix_weights"), plain_softmax(s, seen))


class Differential(Normaliser):
    """Ye et al. 2024, for pairs of heads; norm: microsoft/unilm's RMSNorm on what a pair gives."""
    def __init__(self, norm=False):
        self.norm = norm

    vectors = ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2")

    def shapes(self, c):
        d = c["width"] // c["heads"]
        return {**{name: (d,) for name in self.vectors}, **({"gain": (2 * d,)} if self.norm else {})}

    def start(self, layer):
        """lambda_init; `layer` from 0."""
        return 0.8 - 0.6 * math.exp(-0.3 * layer)

    def weights(self, s, seen, c, w):
        q1, k1, q2, k2 = (w(name) for name in self.vectors)
        start = self.start(c["layer"])
        size = (q1 * k1).sum().exp() - (q2 * k2).sum().exp() + start
        p = plain_softmax(s, seen)
        return (p[:, 0::2] - size * p[:, 1::2]).repeat_interleave(2, 1)

    def output(self, o, c, w):
        if not self.norm:
            return o
        pairs = o.view(*o.shape[:-1], c["heads"] // 2, -1)
        size = (pairs.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return ((1 - self.start(c["layer"])) * w("gain") * pairs / size).view(o.shape)
