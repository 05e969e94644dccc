#!/usr/bin/python3
"""The same training steps in PyTorch: checked against ours, then timed in turn with ours.

    torch_step.py STEP_DATA [SECONDS]           everything, as `make bench-torch` runs it
    torch_step.py --one FOLDER THREADS SECONDS  one measurement; OPENBLAS_NUM_THREADS is the
                                                caller's; prints losses and milliseconds as JSON

STEP_DATA is the program of step_data.c.  For each size and number of threads it writes weights,
batches and the losses of its own first ten steps; PyTorch starts from the same weights, takes the
same batches and must find the same losses.  Then both are timed in turn, ROUNDS times; the median
over rounds counts.  PyTorch is given its best of (intra-op threads, BLAS threads), each in a
process of its own, and is written as one would who wants it fast: q, k and v in one product,
relations looked up once, Adam's loop over all tensors at once (foreach) where that is faster.  Its
batches lie ready in memory, while our step also draws its batch.
"""
import json
import math
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

SIZES = (  # n, width, layers, batch, heads
    (16, 32, 2, 32, 4),
    (32, 64, 2, 32, 4),
    (64, 128, 3, 32, 4),
    (128, 256, 3, 16, 8),
)
STEPS = 10
ROUNDS = 3
# Both work in float.  Adam divides gradients by their own size, so those near zero are mostly
# rounding; seen are 3e-6 at the smallest size.  A step that differs shows at 1e-2.
TOLERANCE = 1e-4


def read(path):
    import torch
    types = {"F64": torch.float64, "F32": torch.float32, "I32": torch.int32}
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, t in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            first, last = (8 + length + offset for offset in t["data_offsets"])
            flat = torch.frombuffer(bytearray(data[first:last]), dtype=types[t["dtype"]])
            tensors[name] = flat.view(t["shape"])
    return tensors


# ---- the model: pre-norm, GELU, Toeplitz B and C shared by all layers ---------------------------
class Model:
    def __init__(self, weights, heads, n):
        import torch
        self.torch, self.heads, self.n = torch, heads, n
        self.layers = sum(name.endswith("attn.o.weight") for name in weights)
        w = dict(weights)
        for layer in range(self.layers):
            prefix = f"layers.{layer}.attn."
            for part in ("weight", "bias"):
                w[prefix + "qkv." + part] = torch.cat([w.pop(f"{prefix}{x}.{part}") for x in "qkv"])
        self.w = {name: t.clone().requires_grad_() for name, t in w.items()}
        i = torch.arange(n)
        self.relation = i[None, :] - i[:, None] + n - 1

    def linear(self, x, name):
        return self.torch.nn.functional.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    def norm(self, x, name):
        return self.torch.nn.functional.layer_norm(x, x.shape[-1:], self.w[name + ".weight"],
                                                   self.w[name + ".bias"], 1e-5)

    def attention(self, x, prefix, b, c):
        batch, n, width = x.shape
        qkv = self.linear(x, prefix + "qkv").view(batch, n, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        s = q @ k.transpose(-1, -2) / math.sqrt(width // self.heads) + b
        p = self.torch.softmax(s, -1) * c
        return self.linear((p @ v).transpose(1, 2).reshape(batch, n, width), prefix + "o")

    def forward(self, x):
        b = self.w["encoding.bias"][:, self.relation]
        c = self.w["urpe.c"][:, self.relation]
        x = self.linear(x, "embed")
        for layer in range(self.layers):
            prefix = f"layers.{layer}."
            x = x + self.attention(self.norm(x, prefix + "norm1"), prefix + "attn.", b, c)
            h = self.linear(self.norm(x, prefix + "norm2"), prefix + "ffn.in")
            x = x + self.linear(self.torch.nn.functional.gelu(h), prefix + "ffn.out")
        return self.linear(self.norm(x, "norm"), "head")


def trainer(folder, foreach):
    """A function that takes step k and returns its loss."""
    import torch
    data = read(os.path.join(folder, "steps.safetensors"))
    x, y = data["x"].float(), data["y"].float()
    model = Model(read(os.path.join(folder, "weights.safetensors")), int(data["heads"]), x.shape[2])
    adam = torch.optim.Adam(model.w.values(), lr=float(data["lr"]), foreach=foreach)

    def step(k):
        adam.zero_grad(set_to_none=True)
        loss = torch.nn.functional.mse_loss(model.forward(x[k % STEPS]), y[k % STEPS])
        loss.backward()
        adam.step()
        return loss.item()
    return step


def one(folder, threads, seconds):
    import torch
    torch.set_num_threads(threads)
    results = []
    for foreach in (False, True):
        step = trainer(folder, foreach)
        losses = [step(k) for k in range(STEPS)]
        times, start, k = [], time.perf_counter(), STEPS
        while not times or time.perf_counter() - start < seconds / 2:
            before = time.perf_counter()
            step(k)
            times.append(time.perf_counter() - before)
            k += 1
        results.append({"loss": losses, "ms": 1000 * statistics.median(times)})
    print(json.dumps(min(results, key=lambda r: r["ms"])))


# ---- both in turn -------------------------------------------------------------------------------
def run_torch(folder, intra, blas, seconds):
    env = dict(os.environ, OPENBLAS_NUM_THREADS=str(blas), OMP_NUM_THREADS=str(intra))
    out = subprocess.run([sys.executable, __file__, "--one", folder, str(intra), str(seconds)],
                         env=env, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(out.stdout)


def run_ours(program, folder, size, threads, seconds):
    n, width, layers, batch, heads = size
    keys = {"space.length": n, "model.width": width, "model.ffn": 4 * width, "model.layers": layers,
            "model.heads": heads, "train.batch": batch}
    spec = os.path.join(os.path.dirname(os.path.abspath(__file__)), "step.yaml")
    subprocess.run([program, spec, folder, str(STEPS), str(threads), str(seconds),
                    *(f"{key}={value}" for key, value in keys.items())], check=True)
    data = read(os.path.join(folder, "steps.safetensors"))
    return {"loss": data["loss"].tolist(), "ms": float(data["ms"])}


def check(ours, theirs):
    for k, (a, b) in enumerate(zip(ours, theirs)):
        if not abs(a - b) <= TOLERANCE * abs(a):
            sys.exit(f"step {k + 1}: our loss is {a}, PyTorch's {b}")
    if not abs(ours[0] * (1 + 2 * TOLERANCE) - theirs[0]) > TOLERANCE * abs(ours[0]):
        sys.exit("the comparison of losses cannot fail")


def measure(program, size, threads, seconds):
    """Medians over rounds: ours, and PyTorch's for each setting."""
    settings = [(1, 1)] if threads == 1 else [(threads, 1), (1, threads), (threads, threads)]
    ours, theirs = [], {setting: [] for setting in settings}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            result = run_ours(program, folder, size, threads, seconds)
            ours.append(result["ms"])
            for setting in settings:
                found = run_torch(folder, *setting, seconds)
                check(result["loss"], found["loss"])
                theirs[setting].append(found["ms"])
    medians = {setting: statistics.median(times) for setting, times in theirs.items()}
    best = min(medians, key=medians.get)
    return statistics.median(ours), medians[best], best


def main(program, seconds=1.0):
    print("   n  width layers batch threads   ours ms   torch ms  ratio  torch's intra-op, BLAS")
    for threads in (1, 2) if (os.cpu_count() or 1) > 1 else (1,):
        for size in SIZES:
            ours, theirs, best = measure(program, size, threads, float(seconds))
            n, width, layers, batch, _ = size
            print(f"{n:4} {width:6} {layers:6} {batch:5} {threads:7} {ours:9.3f} {theirs:10.3f} "
                  f"{theirs / ours:6.2f}  {best[0]}, {best[1]}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        try:
            import torch  # noqa: F401
        except ImportError:
            sys.exit("torch_step.py: PyTorch is missing; on Debian: apt-get install python3-torch")
        main(*sys.argv[1:])
