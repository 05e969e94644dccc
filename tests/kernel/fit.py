"""Prints the polynomial coefficients of lib/kernel/simd_math.h, with the errors they leave.

Remez exchange in 50-digit decimals.  Run: python3 tests/kernel/fit.py
  exp2   2^f = 1 + f q(f) on |f| <= 1/2, relative error
  tail   Phi(-x) = exp(-x^2/2) t(x), x >= 0, error weighted by exp(-x^2/2) x (float: what it costs
         in x Phi(x)); in double as a polynomial in y = (x - 4)/(x + 4) (the variable of Shepherd and
         Laframboise 1981), plain error.
"""
from decimal import Decimal as D, getcontext

getcontext().prec = 50
PI = D("3.14159265358979323846264338327950288419716939937510")
LN2 = D(2).ln()


def tail(x):
    """exp(x^2/2) Phi(-x): the series of Phi for small x, a continued fraction for large x."""
    if x < 5:
        term = total = x
        k = 1
        while abs(term) > D("1e-48"):
            term = term * x * x / (2 * k + 1)
            total += term
            k += 1
        return (x * x / 2).exp() / 2 - total / (2 * PI).sqrt()
    f = x
    for k in range(400, 0, -1):
        f = x + D(k) / f
    return 1 / f / (2 * PI).sqrt()


def solve(a, b):
    n = len(b)
    for c in range(n):
        p = max(range(c, n), key=lambda r: abs(a[r][c]))
        a[c], a[p], b[c], b[p] = a[p], a[c], b[p], b[c]
        for r in range(c + 1, n):
            m = a[r][c] / a[c][c]
            if m:
                a[r] = [x - m * y for x, y in zip(a[r], a[c])]
                b[r] -= m * b[c]
    x = [D(0)] * n
    for r in range(n - 1, -1, -1):
        x[r] = (b[r] - sum(a[r][k] * x[k] for k in range(r + 1, n))) / a[r][r]
    return x


def evaluate(c, x):
    r = D(0)
    for k in reversed(c):
        r = r * x + k
    return r


def cosine(t):
    """cos(pi t) by its series."""
    z, term, total, k = (PI * t) ** 2, D(1), D(1), 1
    while abs(term) > D("1e-30"):
        term = -term * z / ((2 * k - 1) * (2 * k))
        total += term
        k += 1
    return total


def remez(f, weight, low, high, degree, rounds=12, grid=600):
    """Minimises max weight |p - f| over polynomials of `degree` on [low, high]."""
    n = degree + 2
    at = lambda t: (low + high) / 2 - (high - low) / 2 * cosine(t)
    nodes = [at(D(k) / (n - 1)) for k in range(n)]
    points = [at(D(k) / grid) for k in range(grid + 1)]
    values, weights = [f(x) for x in points], [weight(x) for x in points]
    for _ in range(rounds):
        rows = [[x ** k if k else D(1) for k in range(degree + 1)] + [D((-1) ** r) / weight(x)]
                for r, x in enumerate(nodes)]
        c = solve(rows, [f(x) for x in nodes])[:-1]
        error = [(evaluate(c, x) - v) * w for x, v, w in zip(points, values, weights)]
        peaks, best = [], 0
        for k in range(1, len(points)):
            if (error[k] > 0) != (error[best] > 0):
                peaks.append(best)
                best = k
            elif abs(error[k]) > abs(error[best]):
                best = k
        peaks.append(best)
        while len(peaks) > n:
            peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
        if len(peaks) < n:
            break
        nodes = [points[k] for k in peaks]
    return c, max(abs(e) for e in error)


def show(name, c, error, digits):
    print(f"{name}: error {float(error):.2e}")
    for k in c:
        print(f"    {float(k):.{digits}g},")


def exp2_part(x):
    return ((x * LN2).exp() - 1) / x if abs(x) > D("1e-20") else LN2


if __name__ == "__main__":
    half = D("0.5")
    show("float exp2", *remez(exp2_part, lambda x: abs(x) + D("1e-3"), -half, half, 5), 9)
    show("double exp2", *remez(exp2_part, lambda x: abs(x) + D("1e-3"), -half, half, 10), 17)
    show("float tail", *remez(tail, lambda x: (-x * x / 2).exp() * (x + D("0.2")), D(0), D(5), 11), 9)
    y_tail = lambda y: tail(4 * (1 + y) / (1 - y)) if y < 1 else D(0)
    show("double tail", *remez(y_tail, lambda y: D(1), D(-1), D("0.82"), 20, 8), 17)
