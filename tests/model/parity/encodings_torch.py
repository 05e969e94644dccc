"""Positional encodings in PyTorch, for generate.py: written from the papers that are cited beside
them, and apart from the program.  Shapes: q, k (samples, heads, n, head width)."""
import math

import torch


# ---- what several encodings need ----------------------------------------------------------------
def offsets(n):
    """delta[i, j] = j - i"""
    i = torch.arange(n)
    return i[None, :] - i[:, None]


def t5_bucket(delta, causal, buckets=32, longest=128):
    """Raffel et al. 2020: near offsets one by one, far ones by their logarithm."""
    bucket = 0
    if causal:
        distance = max(-delta, 0)
    else:
        buckets //= 2
        if delta > 0:
            bucket = buckets
        distance = abs(delta)
    exact = buckets // 2
    if distance < exact:
        return bucket + distance
    far = int(math.log(distance / exact) / math.log(longest / exact) * (buckets - exact))
    return bucket + min(buckets - 1, exact + far)


def bucket_matrix(n, causal):
    return torch.tensor([[t5_bucket(j - i, causal) for j in range(n)] for i in range(n)])


def alibi_slopes(heads):
    """Press et al. 2022; for other than powers of two as in the authors' code."""
    def power(count):
        return [2 ** (-8 * h / count) for h in range(1, count + 1)]
    below = 2 ** int(math.floor(math.log2(heads)))
    if below == heads:
        return power(heads)
    return power(below) + power(2 * below)[0::2][:heads - below]


def sinusoids(positions, width):
    """Vaswani et al. 2017, the two halves apart: sin and cos of position / 10000^(2k/width)."""
    k = torch.arange(width // 2)
    angle = positions.to(torch.get_default_dtype())[:, None] * 10000 ** (-2 * k / width)[None, :]
    return angle.sin(), angle.cos()


def layer_norm(x, weight, bias):
    return torch.nn.functional.layer_norm(x, x.shape[-1:], weight, bias, 1e-5)


# ---- encodings ----------------------------------------------------------------------------------
class Encoding:
    """Does nothing.  q, k, v: (samples, heads, n, head width); w(name): a parameter, as this layer
    sees it; attention probabilities already hold C when `value` is called."""
    causal_only = False
    shared = ()     # parameters that all layers share, always
    per_layer = ()  # parameters that each layer has, always
    tables = ()     # as `share` says

    def __init__(self, c):
        self.c = c
        self.head_width = c["width"] // c["heads"]

    def shapes(self):
        return {}

    def draw(self, name, shape):
        return 0.5 * torch.randn(shape)

    def add_to_input(self, w):
        return 0

    def rotate(self, q, k):
        return q, k

    def logits(self, q, k, w, causal):
        return q @ k.transpose(-1, -2) / math.sqrt(self.head_width)

    def added(self, x, w, seen):
        """What is added to logits besides, of the layer's input x (samples, n, width)."""
        return 0

    def value(self, p, w):
        return 0


class Sinusoidal(Encoding):
    def add_to_input(self, w):
        sin, cos = sinusoids(torch.arange(self.c["n"]), self.c["width"])
        return torch.stack([sin, cos], -1).flatten(-2)  # sin, cos, sin, cos, ...


class Learned(Encoding):
    shared = ("position",)

    def shapes(self):
        return {"position": (self.c["n"], self.c["width"])}

    def add_to_input(self, w):
        return w("position")


class Bias(Encoding):
    """Logits plus a matrix for each head."""
    def bias(self, w, causal):
        raise NotImplementedError

    def logits(self, q, k, w, causal):
        return super().logits(q, k, w, causal) + self.bias(w, causal)


class Toeplitz(Bias):
    tables = ("bias",)

    def shapes(self):
        return {"bias": (self.c["heads"], 2 * self.c["n"] - 1)}

    def bias(self, w, causal):
        n = self.c["n"]
        return w("bias")[:, offsets(n) + n - 1]


class Registers(Toeplitz):
    """A number for each relation, where those of tokens in front are no offsets."""
    def shapes(self):
        return {"bias": (self.c["heads"], int(self.c["relation"].max()) + 1)}

    def bias(self, w, causal):
        return w("bias")[:, self.c["relation"]]


class T5(Bias):
    tables = ("bias",)

    def shapes(self):
        return {"bias": (self.c["heads"], 32)}

    def bias(self, w, causal):
        return w("bias")[:, bucket_matrix(self.c["n"], causal)]


class Alibi(Bias):
    def slopes(self, w):
        return torch.tensor(alibi_slopes(self.c["heads"]))

    def bias(self, w, causal):
        return -self.slopes(w)[:, None, None] * offsets(self.c["n"]).abs()


class AlibiLearned(Alibi):
    tables = ("slope",)

    def shapes(self):
        return {"slope": (self.c["heads"],)}

    def slopes(self, w):
        return w("slope")


class Shaw(Encoding):
    """Shaw et al. 2018, eqs. 3 and 4."""
    has_value = True
    k = 2
    per_layer = ("key", "value")

    def shapes(self):
        table = (2 * self.k + 1, self.head_width)
        return {"key": table, "value": table} if self.has_value else {"key": table}

    def clipped(self):
        return offsets(self.c["n"]).clamp(-self.k, self.k) + self.k

    def logits(self, q, k, w, causal):
        keys = k[:, :, None, :, :] + w("key")[self.clipped()]  # (samples, heads, n, n, head width)
        return (q[:, :, :, None, :] * keys).sum(-1) / math.sqrt(self.head_width)

    def value(self, p, w):
        if not self.has_value:
            return 0
        return (p[..., None] * w("value")[self.clipped()]).sum(-2)


class ShawKeys(Shaw):
    has_value = False
    per_layer = ("key",)


class TransformerXl(Encoding):
    """Dai et al. 2019, section 3.3; both signs of i - j."""
    shared = ("u", "v")
    per_layer = ("r.weight",)

    def shapes(self):
        width, heads = self.c["width"], self.c["heads"]
        return {"u": (heads, self.head_width), "v": (heads, self.head_width),
                "r.weight": (width, width)}

    def logits(self, q, k, w, causal):
        n, heads = self.c["n"], self.c["heads"]
        distance = -offsets(n)  # i - j
        wave = torch.cat(sinusoids(distance.flatten(), self.c["width"]), -1)
        r = (wave @ w("r.weight").T).view(n, n, heads, self.head_width).permute(2, 0, 1, 3)
        content = (q + w("u")[:, None, :]) @ k.transpose(-1, -2)
        position = ((q + w("v")[:, None, :])[:, :, :, None, :] * r).sum(-1)
        return (content + position) / math.sqrt(self.head_width)


class Deberta(Encoding):
    """He et al. 2021, eqs. 3 and 4: content to content, content to position, position to content."""
    k = 3
    released = False
    shared = ("position",)
    per_layer = ("key.weight", "key.bias", "query.weight", "query.bias")

    def shapes(self):
        d = self.c["width"]
        return {"position": (2 * self.k, d), "key.weight": (d, d), "key.bias": (d,),
                "query.weight": (d, d), "query.bias": (d,)}

    def heads_of(self, x):
        return x.view(-1, self.c["heads"], self.head_width).transpose(0, 1)

    def logits(self, q, k, w, causal):
        t = (-offsets(self.c["n"]) + self.k).clamp(0, 2 * self.k - 1)  # t(i, j), of i - j
        relative_key = self.heads_of(w("position") @ w("key.weight").T + w("key.bias"))
        relative_query = self.heads_of(w("position") @ w("query.weight").T + w("query.bias"))
        s = q @ k.transpose(-1, -2)
        s = s + (q[:, :, :, None, :] * relative_key[:, t]).sum(-1)
        back = t if self.released else t.T
        s = s + (k[:, :, None, :, :] * relative_query[:, back]).sum(-1)
        return s / math.sqrt(3 * self.head_width)


class DebertaReleased(Deberta):
    released = True


class Rope(Encoding):
    """Su et al. 2021: complex numbers turned by position x angle."""
    half = False
    fraction = 1.0

    def turned(self, x, sign=1):
        turned = int(self.fraction * self.head_width)
        k = torch.arange(turned // 2)
        position = torch.arange(self.c["n"])
        angle = position[:, None] * 10000 ** (-2 * k / turned)
        head, rest = x[..., :turned], x[..., turned:]
        if self.half:
            z = torch.complex(head[..., :turned // 2], head[..., turned // 2:])
        else:
            z = torch.complex(head[..., 0::2], head[..., 1::2])
        z = z * torch.polar(self.size(position, k, sign), angle)
        if self.half:
            head = torch.cat([z.real, z.imag], -1)
        else:
            head = torch.stack([z.real, z.imag], -1).flatten(-2)
        return torch.cat([head, rest], -1)

    def size(self, position, k, sign):
        return torch.ones(len(position), len(k))

    def rotate(self, q, k):
        return self.turned(q, 1), self.turned(k, -1)


class RopeHalf(Rope):
    half = True


class RopePart(Rope):
    fraction = 0.5


class Xpos(Rope):
    """Sun et al. 2023: queries grow and keys shrink with their position."""
    causal_only = True
    scale_base = 512

    def size(self, position, k, sign):
        zeta = (2 * k + 0.4 * self.head_width) / (1.4 * self.head_width)
        return zeta[None, :] ** (sign * position[:, None] / self.scale_base)


class XposSteep(Xpos):
    scale_base = 4


class KerpleLog(Bias):
    """Chi et al. 2022, the logarithmic kernel."""
    tables = ("a", "p")

    def shapes(self):
        return {"a": (self.c["heads"],), "p": (self.c["heads"],)}

    def draw(self, name, shape):
        return 0.1 + 1.8 * torch.rand(shape)

    def bias(self, w, causal):
        a, p = w("a")[:, None, None], w("p")[:, None, None]
        return -p * torch.log(1 + a * offsets(self.c["n"]).abs())


class KerplePower(KerpleLog):
    """Likewise, the power kernel."""
    def bias(self, w, causal):
        a, p = w("a")[:, None, None], w("p")[:, None, None]
        distance = offsets(self.c["n"]).abs().to(torch.get_default_dtype())
        near = distance == 0
        power = torch.where(near, torch.ones_like(distance), distance) ** p
        return -a * torch.where(near, torch.zeros_like(power), power)


class Formula(Bias):
    """The default formula of `formula`: -a[h] log(1 + |b[h] d|)."""
    tables = ("a", "b")

    def shapes(self):
        return {"a": (self.c["heads"],), "b": (self.c["heads"],)}

    def bias(self, w, causal):
        a, b = w("a")[:, None, None], w("b")[:, None, None]
        return -a * torch.log(1 + torch.abs(b * offsets(self.c["n"])))


class Sandwich(Bias):
    """Chi et al. 2023: the inner product of sinusoids of i and j, compressed."""
    def bias(self, w, causal):
        n, heads, d = self.c["n"], self.c["heads"], self.head_width
        k = torch.arange(1, d // 2 + 1)
        wave = (offsets(n)[..., None] / 10000 ** (2 * k / d)).cos().sum(-1) - d / 2
        return torch.stack([wave / (8 * h / heads) for h in range(1, heads + 1)])


class Fire(Bias):
    """Li et al. 2024, eq. 7; bidirectional: one denominator for all queries."""
    long = 4.25
    tables = ("in.weight", "in.bias", "out.weight", "out.bias", "c", "l")

    def shapes(self):
        return {"in.weight": (32, 1), "in.bias": (32,), "out.weight": (self.c["heads"], 32),
                "out.bias": (self.c["heads"],), "c": (1,), "l": (1,)}

    def draw(self, name, shape):
        known = {"c": -0.7, "l": -self.long}  # their absolute values count
        if name in known:
            return torch.full(shape, known[name])
        return super().draw(name, shape)

    def bias(self, w, causal):
        n = self.c["n"]

        def psi(x):
            return torch.log(torch.abs(w("c") * x) + 1)
        longest = w("l").abs()
        rows = torch.arange(n) if causal else torch.full((n,), n - 1.0)
        ratio = psi(offsets(n).abs()) / (psi(torch.maximum(longest, rows))[:, None] + 1e-6)
        hidden = torch.relu(ratio[..., None] * w("in.weight")[:, 0] + w("in.bias"))
        return (hidden @ w("out.weight").T + w("out.bias")).permute(2, 0, 1)


class FireLong(Fire):
    long = 9.5


class Tupe(Encoding):
    """Ke et al. 2021, eq. 10: content and position with projections of their own."""
    has_t5 = False
    shared = ("position", "norm.weight", "norm.bias", "query.weight", "key.weight")
    tables = ("bias",)

    def shapes(self):
        n, d = self.c["n"], self.c["width"]
        shapes = {"position": (n, d), "norm.weight": (d,), "norm.bias": (d,),
                  "query.weight": (d, d), "key.weight": (d, d)}
        if self.has_t5:
            shapes["bias"] = (self.c["heads"], 32)
        return shapes

    def logits(self, q, k, w, causal):
        n, heads = self.c["n"], self.c["heads"]
        p = layer_norm(w("position"), w("norm.weight"), w("norm.bias"))

        def split(x):
            return x.view(n, heads, self.head_width).transpose(0, 1)
        pq, pk = split(p @ w("query.weight").T), split(p @ w("key.weight").T)
        s = (q @ k.transpose(-1, -2) + pq @ pk.transpose(-1, -2)) / math.sqrt(2 * self.head_width)
        if self.has_t5:
            s = s + w("bias")[:, bucket_matrix(n, causal)]
        return s


class TupeT5(Tupe):
    has_t5 = True


class Cope(Encoding):
    """Golovneva et al. 2024, eqs. 3 to 6: positions are counted by gates."""
    causal_only = True
    m = 4
    per_layer = ("position",)

    def shapes(self):
        return {"position": (self.head_width, self.m)}

    def logits(self, q, k, w, causal):
        n = self.c["n"]
        s = super().logits(q, k, w, causal)
        gate = torch.sigmoid(s) * torch.ones(n, n).tril()
        p = torch.stack([gate[..., j:].sum(-1) for j in range(n)], -1).clamp(max=self.m - 1)
        below, above = p.detach().floor().long(), p.detach().ceil().long()
        table = q @ w("position")  # (samples, heads, n, m)
        part = p - below
        return s + (1 - part) * table.gather(-1, below) + part * table.gather(-1, above)


class Fox(Encoding):
    """Lin et al. 2025: each key fades by the gates of what comes after it, up to the query."""
    causal_only = True
    per_layer = ("weight", "bias")

    def shapes(self):
        return {"weight": (self.c["heads"], self.c["width"]), "bias": (self.c["heads"],)}

    def added(self, x, w, seen):
        log_gate = torch.log(torch.sigmoid(x @ w("weight").T + w("bias"))).transpose(1, 2)
        n = self.c["n"]
        rows = []
        for i in range(n):
            row = [log_gate[..., j + 1:i + 1][..., seen[i, j + 1:i + 1]].sum(-1) if j < i else
                   torch.zeros_like(log_gate[..., 0]) for j in range(n)]
            rows.append(torch.stack(row, -1))
        return torch.stack(rows, -2)
