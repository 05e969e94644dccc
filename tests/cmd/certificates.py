"""Tests of urpe-probe-check: certificates made by help_certificate.py, by hand, and with a lie in them: 500, with
URPE_FULL 2,000.

    [URPE_PROBE=PROGRAM] python3 certificates.py PATH-OF-urpe-probe-check [ARGUMENTS OF unittest]
"""
import gzip
import importlib.machinery
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from fractions import Fraction
from urllib.parse import quote

sys.dont_write_bytecode = True
import help_certificate as maker  # noqa: E402

PATH = sys.argv[1]
PROGRAM = os.environ.get("URPE_PROBE", os.path.join(os.path.dirname(PATH), "../../build/urpe-probe"))
FULL = "URPE_FULL" in os.environ  # else a part of it
MUTATIONS = 2000 if FULL else 500
FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # thousands of files, each flushed to the disk
loader = importlib.machinery.SourceFileLoader("checker", PATH)
checker = importlib.util.module_from_spec(importlib.util.spec_from_loader("checker", loader))
loader.exec_module(checker)


def verdict(text):
    """None where the text is accepted, else what is wrong with it."""
    try:
        checker.examine(text)
    except checker.Wrong as wrong:
        return str(wrong)
    return None


# ---- lies: each changes a case, and says whether it did -----------------------------------------------------

def move_pair(rng, case):
    """A pair goes to another group, and the figures are those of the new groups."""
    group = list(case.group)
    pair, other = rng.randrange(len(group)), rng.choice(group)
    rest = [p for p, g in enumerate(group) if g == group[pair] and p != pair]
    if other == group[pair] or not rest and rng.random() < 0.5:
        return False
    for p in rest:
        group[p] = rest[0]
    group[pair] = other
    case.claim([group.index(g) for g in group])
    return True


def change_token(rng, case):
    sample = rng.choice(case.samples)
    i = rng.randrange(sample.n)
    sample.tokens[i] = rng.choice([t for t in (0, 1, 2) if t != sample.tokens[i]])
    return True


def change_relation(rng, case):
    """An option that relations depend on."""
    layer = rng.choice(case.layers)
    ways = [lambda: setattr(case, "trained", case.trained + rng.choice((-1, 1)) or 2)]
    for key, least in (("encoding.k", 1), ("encoding.max_distance", 5), ("mask.past", 1), ("mask.future", 0),
                       ("mask.step", 1), ("mask.size", 1), ("mask.length", 1), ("mask.prefix", 1), ("mask.hops", 0),
                       ("mask.dy", 0), ("mask.dx", 0), ("convolution.size", 1)):
        if key in layer:
            ways.append(lambda key=key, least=least:
                        layer.update({key: str(max(int(layer[key]) + rng.choice((-1, 1)), least))}))
    if "encoding.bias" in layer and layer["encoding"] == "formula":
        ways.append(lambda: layer.update({"encoding.bias": maker.encoding_options(rng, "formula", case.space)["bias"]}))
    if "c.factor" in layer:
        ways.append(lambda: layer.update({"c.factor": maker.encoding_options(rng, "formula", case.space)["bias"]}))
    if "encoding.buckets" in layer:
        ways.append(lambda: layer.update({"encoding.buckets": rng.choice(("4", "6", "8"))}))
    for key, names in (("encoding.gather", ("paper", "released")), ("encoding.value", ("true", "false")),
                       ("encoding.bias", ("true", "false")), ("convolution.input", ("true", "false")), ("mask.causal", ("true", "false")),
                       ("mask", ("none", "causal"))):
        if layer.get(key) in names:
            ways.append(lambda key=key, names=names: layer.update({key: names[layer[key] == names[0]]}))
    if layer.get("c") in ("toeplitz", "bucketed") and case.space == "sequence":
        ways.append(lambda: layer.update({"c": {"toeplitz": "bucketed", "bucketed": "toeplitz"}[layer["c"]]}))
    if case.space == "graph":
        ways.append(lambda: setattr(case, "max_distance", (case.max_distance + 1) % 3))
    before = case.text()
    rng.choice(ways)()
    return case.text() != before


def change_target(rng, case):
    k = rng.randrange(len(case.targets))
    scored = [i for i, y in enumerate(case.targets[k]) if y is not None]
    if not scored:
        return False
    i = rng.choice(scored)
    y = case.targets[k][i]
    if case.labels:
        case.targets[k][i] = (y[0] + 1, y[1])
    else:
        case.targets[k][i] = [v + Fraction(rng.choice((-1, 1)), rng.choice((1, 2**20))) for v in y]
    return True


def swap_class(rng, case):
    """Groups and figures of one class under the name of another, finer or coarser."""
    k = rng.randrange(len(case.layers))
    layer, other = case.layers[k], maker.random_layer(rng, case.space)
    part = rng.choice(("encoding", "normaliser", "attention", "mask", "convolution"))
    taken = ("attention", "c") if part == "attention" else (part,)
    new = {key: value for key, value in layer.items() if key.split(".")[0] not in taken}
    new.update({key: value for key, value in other.items() if key.split(".")[0] in taken})
    if new == layer or not maker.looks_back(new) and new["encoding"] in maker.CAUSAL_ONLY:
        return False
    case.layers[k] = new
    return True


def change_depth(rng, case):
    """What one round leaves, said of more."""
    case.depth = 1
    case.claim(case.truth())
    case.depth = rng.choice((None, 2, 3))
    return True


def raise_claim(rng, case):
    name = rng.choice(list(case.claims))
    case.claims[name] *= 1 - 1e-9 if name.endswith("ceiling") else 1 + 1e-9
    return case.claims[name] > 0


def change_form(rng, case):
    """Figures of means said of pairs, and of pairs said of means; registers on the line, tokens of the line nowhere."""
    if case.prefix and rng.random() < 0.3:
        case.registers = not case.registers
        return True
    case.pool = not case.pool
    case.claim(case.group)
    case.pool = not case.pool
    return True


LIES = [move_pair, change_token, change_relation, change_target, swap_class, change_depth, raise_claim, change_form]


def sound(case):
    """Whether groups and figures follow, by the exhaustive refinement of what the case now says."""
    truth = case.truth()
    if any(truth[p] != truth[g] for p, g in enumerate(case.group)):
        return False
    figures = case.figures(truth)
    slack = 1 + Fraction(1, 10**12)
    return all(claim * slack >= Fraction(figures[name]) if name.endswith("ceiling")
               else claim <= Fraction(figures[name]) * slack
               for name, claim in ((name, Fraction(claim)) for name, claim in case.claims.items()))


def tell_lies(test, start_of):
    """MUTATIONS lies about the cases that start_of(rng) gives."""
    counts = Counter()
    seed = 10**6
    while sum(counts.values()) < MUTATIONS:
        seed += 1
        rng = maker.rng_of(seed)
        start, lie = start_of(rng), LIES[seed % len(LIES)]
        for _ in range(4):  # what is no lie after all is tried again, and counts now and then
            case = start.copy()
            true = not lie(rng, case) or sound(case)
            if not true:
                break
        if true and rng.random() < 0.7 or case.text() == start.text():
            continue
        accepted = verdict(case.text()) is None
        test.assertFalse(accepted and not true, f"{lie.__name__}, seed {seed}\n{case.text()}")
        counts[lie.__name__, accepted, true] += 1
    print(file=sys.stderr)
    for lie in LIES:
        refused, kept, strict = (counts[lie.__name__, *key] for key in ((False, False), (True, True), (False, True)))
        print(f"# {lie.__name__}: {refused + kept + strict} tried, {refused} refused, {kept} accepted since they are "
              f"true all the same, {strict} true and refused", file=sys.stderr)
        test.assertGreater(refused, MUTATIONS // 50)


class Certificates(unittest.TestCase):
    def test_true_certificates_are_valid(self):
        merged = 0
        seen = Counter()
        for seed in range(MUTATIONS * 2 // 5):
            case = maker.random_case(maker.rng_of(seed))
            self.assertIsNone(verdict(case.text()), case.text())
            for layer in case.layers:
                seen.update([layer["encoding"], layer["normaliser"], layer["mask"], layer.get("c", "no C"), case.space,
                             layer.get("convolution")])
            merged += len(case.group) - len(set(case.group))
        names = {"sequence", "grid", "graph"}.union(
            checker.ENCODINGS, checker.NORMALISERS, checker.C_KINDS, checker.MASKS, checker.CONVOLUTIONS)
        self.assertEqual(names - set(seen), set(), "never tried")
        self.assertGreater(merged, MUTATIONS // 2)

    def test_lies_are_refused_unless_they_are_true(self):
        tell_lies(self, maker.random_case)

    def test_the_checker_sees_what_the_exhaustive_refinement_sees(self):
        """Random groups: accepted exactly where every step holds, so it is neither blind nor too strict."""
        accepted = Counter()
        for seed in range(2000, 2000 + MUTATIONS // 5):
            rng = maker.rng_of(seed)
            case = maker.random_case(rng)
            for _ in range(3):
                truth = case.truth()
                part = [rng.random() < 0.8 for _ in truth]  # whoever is out stands alone
                group = [truth[p] if part[p] and part[truth[p]] else p for p in range(len(truth))]
                case.claim(group)
                colours = [(group[p], start) for p, start in enumerate(case.start())]
                if case.depth:
                    holds = True  # finer than what the rounds leave
                else:
                    holds = all(case.stable(layer, group) for layer in case.layers)
                    holds = holds and all(colours[p] == colours[g] for p, g in enumerate(group))
                self.assertEqual(verdict(case.text()) is None, holds, case.text())
                accepted[holds] += 1
        self.assertGreater(min(accepted.values()), MUTATIONS // 20)

    def test_bucket(self):
        for causal in (False, True):
            for buckets in (4, 8, 32, 33, 64):
                for far in (buckets // 2 + 1, 128, 1000):
                    for d in range(-1100, 1101):
                        self.assertEqual(checker.bucket(d, causal, buckets, far), maker.bucket(d, causal, buckets, far),
                                         (d, causal, buckets, far))


# ---- certificates that the program writes -------------------------------------------------------------------

AT_ONE_LENGTH = ("learned", "tupe")  # undefined beyond


def written(folder, spec, lines):
    """The text of each certificate of a spec with these cases, and its row."""
    for k in range(0, len(lines), 2000):  # a spec has at most a megabyte
        yield from maker.written(PROGRAM, folder, spec + "".join(lines[k:k + 2000]))


class Program(unittest.TestCase):
    def judge(self, text, row):
        """Valid, with the figures of the row."""
        try:
            c, figures = checker.examine(text)
        except checker.Wrong as wrong:
            self.fail(f"{wrong}\n{text[:4000]}")
        for name in ("floor_rms", "floor_rel", "floor_sup", "accuracy_ceiling", "informative_ceiling",
                     "cross_entropy_floor"):
            figure = row.get(f"depth_{name}" if c.depth else name, "")
            self.assertEqual(name in c.claims, figure != "", name)
            if figure:
                self.assertAlmostEqual(float(figure), float(figures[name]), delta=1e-12 * float(figures[name]))
        return c

    def test_plans_and_prefixes_are_written(self):
        """Layers of several kinds, tokens in front of sequences."""
        rng, merged = maker.rng_of(11), 0
        for space, keys in maker.SPECS.items():
            plans = []
            while len(plans) < 40:
                plan = [maker.random_layer(rng, space) for _ in range(rng.randint(2, 4))]
                if space != "graph" or all(layer["mask"] != "causal" for layer in plan):
                    plans.append(maker.case_line(*plan))
            if space == "sequence":
                plans += [maker.case_line(maker.random_layer(rng, space), prefix=rng.randint(1, 3)) for _ in range(MUTATIONS // 10)]
                plans += [maker.case_line(*[maker.random_layer(rng, space) for _ in range(2)], prefix=1) for _ in range(40)]
            with tempfile.TemporaryDirectory(dir=FAST) as folder:
                for text, row in written(folder, maker.SPEC.format(**keys), plans):
                    c = self.judge(text, row)
                    self.assertGreater(len(c.layers) + c.prefix, 1)
                    merged += len(c.first) - len(set(c.first)) - c.prefix * len(c.samples)
        self.assertGreater(merged, 500)

    def test_registers_and_means_are_written(self):
        """Vectors that stand nowhere; one output a sample, of numbers and of labels, at one depth and at any."""
        rng, seen, lines = maker.rng_of(13), Counter(), {}
        masks = ({"mask": "none"}, {"mask": "causal"}, {"mask": "window", "mask.past": "2", "mask.future": "0"})
        for space, keys in maker.SPECS.items():
            for layer in maker.all_layers(rng, space):
                by_place = layer.get("c") == "bucketed" or any(
                    word in layer.get("encoding.bias", "") + layer.get("c.factor", "") for word in ("/ n", "dy"))
                if space != "graph" and layer["mask"] in ("none", "causal", "window", "dilated") and layer["encoding"] in maker.ANYWHERE \
                        and "convolution" not in layer and not by_place and rng.random() < (0.3 if FULL else 0.15):
                    line = maker.case_line(layer, prefix=rng.randint(1, 3), front="registers")
                    lines.setdefault(space, []).append(line)
            with tempfile.TemporaryDirectory(dir=FAST) as folder:
                for text, row in written(folder, maker.SPEC.format(**keys), lines.get(space, [])):
                    c = self.judge(text, row)
                    self.assertTrue(c.registers)
                    seen[space] += len(c.first) - len(set(c.first)) - c.prefix * len(c.samples)
        for y in ("F32:60x2:i[0] % 5 * 0.125 + i[1]", "I64:60:i[0] % 3"):
            own = []
            for _ in range(MUTATIONS // 20):
                mask = rng.choice(masks)
                names, normalisers = maker.names_of("sequence", mask["mask"] != "none")
                layer = maker.layer_of(rng, "sequence", rng.choice([n for n in names if n not in ("cope",)]), mask,
                                       rng.choice(normalisers), rng.choice((None, "toeplitz")))
                own.append(maker.case_line(layer, layers=rng.randint(1, 2), prefix=rng.choice((0, 0, 1))))
            with tempfile.TemporaryDirectory(dir=FAST) as folder:
                data = os.path.join(folder, "data.safetensors")
                subprocess.run([sys.executable, "-B", os.path.join(os.path.dirname(os.path.abspath(__file__)), "help_data.py"),
                                data, "x=F32:60x4x1:(i[0] * 7 // 3 >> i[1]) % 2 * 0.5", f"y={y}"], check=True)
                spec = maker.SPEC.format(space="{length: 4, channels: 1}", evaluate="{samples: 60}",
                                         target=f"{{kind: data, file: {data}, test: 0.8}}")
                for text, row in written(folder, spec.replace("layers: 1", "layers: 1, pool: mean"), own):
                    c = self.judge(text, row)
                    self.assertTrue(c.pool)
                    seen[y] += len(c.first) > len(set(c.first))
                    seen["depth"] += c.depth > 0
        print(f"\n# registers and means: {dict(seen)}", file=sys.stderr)
        self.assertGreater(min(seen.values()), 5)

    def test_depths_and_joint_lengths_are_written(self):
        """Little is seen, so each layer tells more apart; samples of both lengths are rows of one certificate."""
        space = {"space": "{length: 6, channels: 1, inputs: {identical: 0.5}}", "target": "prefix_sum",
                 "evaluate": "{samples: 4, lengths: [6, 9], orbit: reversal}"}
        rng, lines, seen = maker.rng_of(12), [], Counter()
        masks = ({"mask": "window", "mask.past": "2", "mask.future": "1"}, {"mask": "window", "mask.past": "2", "mask.future": "0"},
                 {"mask": "dilated", "mask.step": "2", "mask.size": "2"}, {"mask": "none"})
        for _ in range(80):
            names, normalisers = maker.names_of("sequence", False)
            encoding = rng.choice([name for name in names if name not in AT_ONE_LENGTH])
            normaliser = rng.choice([one for one in normalisers if maker.go_together(encoding, one)])
            layer = maker.layer_of(rng, "sequence", encoding, rng.choice(masks), normaliser, rng.choice((None, "toeplitz")))
            if rng.random() < 0.3:
                layer.update(maker.convolution_of(rng.choice(maker.CONVOLUTIONS)))
            lines.append(maker.case_line(layer, prefix=rng.choice((0, 0, 1)), layers=rng.randint(1, 3)))
        with tempfile.TemporaryDirectory(dir=FAST) as folder:
            for text, row in written(folder, maker.SPEC.format(**space), lines):
                c = self.judge(text, row)
                seen[c.depth] += 1
                seen["joint"] += len({sample.n for sample in c.samples}) > 1
        self.assertGreater(min(seen[what] for what in (0, 1, 2, 3, "joint")), 20, seen)

    def test_nothing_new_is_left_out(self):
        """What the program has is known to the checker: a new kind comes with its relation there."""
        for what, known in (("encodings", checker.ENCODINGS), ("normalisers", checker.NORMALISERS),
                            ("masks", checker.MASKS), ("c", checker.C_KINDS), ("spaces", maker.SPECS)):
            done = subprocess.run([PROGRAM, "list", what, "--format", "json"], capture_output=True, text=True, check=True)
            self.assertEqual({next(iter(entry.values())) for entry in json.loads(done.stdout)}, set(known), what)

    def lines(self, space, count):
        rng = maker.rng_of(7)
        layers = [layer for layer in maker.all_layers(rng, space) if layer["encoding"] not in AT_ONE_LENGTH]
        return [maker.case_line(layer) for layer in rng.sample(layers, count)]

    def rich(self, of, count, **keys):
        """Certificates of some classes on numbers, all patterns of inputs, more than one length."""
        keys = {**maker.SPECS[of], **keys}
        with tempfile.TemporaryDirectory(dir=FAST) as folder:
            for text, row in written(folder, maker.SPEC.format(**keys), self.lines(of, count)):
                yield text, self.judge(text, row)

    def test_numbers_patterns_lengths(self):
        """A table that was trained at length 4 ends where samples of 7 go on; samples alone are counted."""
        alone = Counter()
        spaces = {
            "sequence": ("{length: 4, channels: 2, inputs: {identical: 0.2, palindrome: 0.2, prefix: 0.2, periodic: 0.2}}",
                         "prefix_sum", "{samples: 10, orbit: shifts, lengths: [4, 7]}"),
            "grid": ("{kind: grid, height: 2, width: 3, channels: 2, inputs: {identical: 0.3, mirror: 0.3}}", "grid_gain",
                     "{samples: 6, orbit: mirrors}"),
            "graph": ("{kind: graph, nodes: 6, p: 0.3, channels: 2, inputs: {identical: 0.5}}", "neighbour_sum",
                      "{samples: 6}"),
        }
        for space, (inputs, target, evaluate) in spaces.items():
            for _, c in self.rich(space, 60 if FULL else 30, space=inputs, target=target, evaluate=evaluate):
                alone[space, c.alone[0] > 0] += 1
        self.assertEqual(len(alone), 6)  # with such samples and without

    def test_no_file_stops_it(self):
        """Whatever is written over a certificate, or over its compressed form, the answer is a verdict."""
        texts = [BY_HAND] + [text for space in maker.SPECS for text, _ in self.rich(space, 8)]
        parts = ["", "0", "9", "-", "-1", "\n", " ", "x", "~", "=", "1e9", "p", "any", "\0", "\xff", "99999999999"]
        with tempfile.TemporaryDirectory(dir=FAST) as folder:
            for seed in range(5000):
                rng = maker.rng_of(seed)
                whole = rng.choice(texts).encode()
                data = bytearray(gzip.compress(whole, 1) if seed % 10 == 0 else whole)
                for _ in range(rng.randint(1, 3)):
                    at = rng.randrange(len(data))
                    data[at:at + rng.randint(0, 2)] = rng.choice(parts).encode("latin-1")
                with open(os.path.join(folder, f"{seed:04}"), "wb") as file:
                    file.write(data)
            done = subprocess.run([sys.executable, "-B", os.path.abspath(PATH), *sorted(os.listdir(folder))], cwd=folder,
                                  capture_output=True, text=True,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31)))
        verdicts = Counter(line.split()[1] for line in done.stdout.splitlines() if line[0] != " ")
        self.assertEqual((done.returncode, done.stderr, sum(verdicts.values())), (1, "", 5000))
        self.assertGreater(min(verdicts["valid"], verdicts["NOT"]), 200)
        print(f"\n# of 5000 files that were written over {verdicts['NOT']} are refused, {verdicts['valid']} still valid",
              file=sys.stderr)

    def test_lies_about_its_own(self):
        texts = []
        for space in maker.SPECS:
            texts += self.rich(space, 100 if FULL else 30)
        for space, target in (("sequence", "position"), ("grid", "grid_position")):
            one = maker.SPECS[space]["space"].replace("{", "{channels: 1, ", 1)
            texts += self.rich(space, 50 if FULL else 15, space=one, target=target)
        # A Case evaluates all positions.
        cases = [maker.read_case(text) for text, _ in texts if "\nsubset lookahead\n" not in text]
        cases = [case for case in cases if case.samples]
        tell_lies(self, lambda rng: rng.choice(cases))


class EveryClass(unittest.TestCase):
    judge = Program.judge

    def test_every_class(self):
        """All of them, or so many that every two kinds meet."""
        seen, count, merged = Counter(), 0, 0
        for space, keys in maker.SPECS.items():
            layers = list((maker.all_layers if FULL else maker.covering_layers)(maker.rng_of(len(space)), space))
            with tempfile.TemporaryDirectory(dir=FAST) as folder:
                for text, row in written(folder, maker.SPEC.format(**keys), list(map(maker.case_line, layers))):
                    c = self.judge(text, row)
                    count, merged = count + 1, merged + len(c.first) - len(set(c.first))
            for layer in layers:
                seen.update([layer["encoding"], layer["normaliser"], layer["mask"], layer.get("c", "no C"), space,
                             layer.get("convolution")])
        self.assertEqual({*maker.SPECS, *checker.ENCODINGS, *checker.NORMALISERS, *checker.C_KINDS, *checker.MASKS,
                          *checker.CONVOLUTIONS} - set(seen), set(), "never tried")
        self.assertGreater(merged, count)
        print(f"\n# {count} certificates of {sum(map(seen.get, maker.SPECS))} classes, {merged} pairs merged", file=sys.stderr)


HEAD = """urpe-probe certificate 1
experiment by-hand
spec 0123456789abcdef
cell 0123456789abcdef
seed 0
length 4
subset identical
space sequence
trained 4
prefix 0
layer encoding=toeplitz encoding.std=0.02 attention=rpe mask=none normaliser=softmax
depth any
channels 1
targets numbers
alone 0 0 0
"""
# Four equal tokens, targets 1/4 .. 1: variance 5/64, largest difference 3/4.
BY_HAND = HEAD + """claim floor_rms 0x1.1e3779b97f4a8p-2
claim floor_sup 0x1.8p-2
sample 4
t 7 7 7 7
g 0 0 0 0
y 0x1p-2 0x1p-1 0x1.8p-1 0x1p+0
end
"""


class ByHand(unittest.TestCase):
    def check(self, text, expected):
        found = verdict(text)
        if expected is None:
            self.assertIsNone(found)
        else:
            self.assertIn(expected, found or "valid")

    def change(self, old, new, expected, text=BY_HAND):
        self.assertIn(old, text)
        self.check(text.replace(old, new, 1), expected)

    def test_figures(self):
        _, figures = checker.examine(BY_HAND)
        self.assertEqual(Fraction(figures["floor_sup"]), Fraction(3, 8))
        self.assertLess(abs(Fraction(figures["floor_rms"]) ** 2 - Fraction(5, 64)), Fraction(1, 10**45))

    def test_labels(self):
        text = HEAD.replace("numbers", "labels").replace("alone 0 0 0", "alone 1 2 1") + """sample 4
t 7 7 7 7
g 0 0 0 0
y 0 0~ 1 -
end
"""
        _, figures = checker.examine(text)  # of 3 equal labels 2 are right at best, and 2 alone
        self.assertEqual(Fraction(figures["accuracy_ceiling"]), Fraction(4, 5))
        self.assertLess(abs(Fraction(figures["informative_ceiling"]) - Fraction(2, 3)), Fraction(1, 10**45))
        self.assertAlmostEqual(float(figures["cross_entropy_floor"]), (2 * 0.4054651081081644 + 1.0986122886681098) / 5)

    def test_polynomials_of_alibi(self):  # not equal, though they are where counted to the base 2, or 4
        head = HEAD.replace("encoding=toeplitz encoding.std=0.02", "encoding=alibi encoding.slopes=fixed")
        for tokens, at in (("0 0 1 1", 0), ("0 0 1 0 1 0 0 1 1", 3)):
            n = len(tokens.split())
            groups = [1 if i == at else 3 + i for i in range(n)]
            text = head.replace("depth any", "depth 1") + "sample 3\nt 1 0 1\ng 0 1 2\ny 0x1p0 0x1p0 0x1p0\n" \
                f"sample {n}\nt {tokens}\ng {' '.join(map(str, groups))}\ny{' 0x1p0' * n}\nend\n"
            self.check(text, f"pair {3 + at} (sample 2, position {at + 1}) and pair 1")
            self.check(text.replace(f"g {' '.join(map(str, groups))}", f"g {' '.join(map(str, range(3, 3 + n)))}"), None)

    def test_what_is_wrong_is_said(self):
        self.check(BY_HAND, None)
        self.change("t 7 7 7 7", "t 7 7 8 7", "pair 2 (sample 1, position 3) and pair 0 (sample 1, position 1), the first "
                    "of its group, have different tokens")
        self.change("attention=rpe", "attention=urpe c=toeplitz c.init=ones c.mean=1 c.share=model c.std=0.02",
                    "do not see the same in layer 1")
        self.change("normaliser=softmax", "normaliser=softmax-one", "do not see the same")
        without = BY_HAND.replace("encoding=toeplitz encoding.std=0.02", "encoding=none")
        self.change("normaliser=softmax", "normaliser=softmax-one", None, without)
        self.change("mask=none normaliser=softmax", "mask=causal normaliser=softmax-one", "do not see the same", without)
        self.change("encoding=toeplitz encoding.std=0.02", "encoding=learned", "have different tokens")
        self.change("depth any", "depth 2", None)
        self.change("g 0 0 0 0", "g 0 0 0 3", "do not see the same")
        self.change("g 0 0 0 0", "g 1 1 1 1", None)
        self.change("g 0 0 0 0", "g 1 0 0 0", "pair 0 (sample 1, position 1) and pair 1 (sample 1, position 2), "
                    "the first of its group, are not in one group")
        self.change("g 0 0 0 0", "g 0 0 0 4", "named by a pair that is not there")
        self.change("0x1.8p-2", "0x1.8000000000001p-2", None)  # 1e-16: rounding
        self.change("0x1.8p-2", "0x1.80000001p-2", "floor_sup 0.375000000")
        self.change("y 0x1p-2", "y 0x1.8p-2", "is claimed")
        self.change("alone 0 0 0", "alone 1 4 0", "floor_rms 0.279508497187474 is claimed, 0.197642353760524 is true")
        self.change("floor_sup", "floor_rel", "floor_rel is claimed")
        self.change("alone 0 0 0\n", "alone 0 0 0\ndeviation 0x1.2p-2\n", "deviation 0.28125 is claimed")
        self.change("alone 0 0 0\n", "alone 1 4 0\ndeviation 0x1p-9\n", "is least")  # whatever the others' targets

    def test_what_it_does_not_know_is_refused(self):
        self.change("encoding=toeplitz encoding.std=0.02", "encoding=new", "encoding 'new' is not known")
        self.change("encoding.std=0.02", "encoding.std=0.02 encoding.x=1", "encoding has the options")
        self.change(" encoding.std=0.02", "", "encoding has the options")
        self.change("normaliser=softmax", "normaliser=softmax window=3", "key 'window' of a layer is not known")
        self.change("mask=none ", "", "mask None is not known")
        self.change("space sequence", "space torus", "'torus'")
        self.change("encoding=toeplitz encoding.std=0.02", "encoding=deberta encoding.k=2 encoding.gather=paper",
                    "of sequences is used on a grid", BY_HAND.replace("sequence", "grid 2 2"))
        self.change("encoding=toeplitz encoding.std=0.02", "encoding=xpos encoding.base=1 encoding.scale_base=2", None)

    def test_formulas(self):
        """Mirror images among equal tokens are alike where the formula is an even function of d."""
        def text(bias, parameters="{a: 1}", heads=2):
            layer = f"encoding=formula encoding.bias={quote(bias)} encoding.parameters={quote(parameters)} heads={heads}"
            return BY_HAND.replace("encoding=toeplitz encoding.std=0.02", layer).replace("softmax", "softmax-one").replace(
                "g 0 0 0 0", "g 0 1 1 0").replace("claim floor_rms 0x1.1e3779b97f4a8p-2\nclaim floor_sup 0x1.8p-2\n", "")
        for even in ("a[h]", "-math.abs(a[h]*d)", "a[h]*d^2", "a[h] ^ (d*d)", "math.cos(-(a[h] * d) / 3)", "a[h]*-math.max(d, -d)",
                     "math.max(-9, math.log(math.abs(d))) + a[h]", "d == 0 and 0 or d % 2 * a[h]", "a[h] + h * H",
                     "d ~= 0 and a[h] or math.abs(2 / (d - 1))", "(d // 1)^2 + a[h]", "a[h][1 + d % 2]"):
            self.check(text(even), None)
        for odd in ("a[h]*d", "a[h] + math.max(d, 0)", "math.abs(a[h] + d)", "math.abs(d)^a[h] < 1 and d or 0", "math.sin(a[h]*d)",
                    "d > 0 and a[h] or -a[h]", "a[h + d]", "h > 1 and a[h]*d or a[h]", "math.atan(d) * a[h]", "d - -d + a[h]"):
            self.assertIsNotNone(verdict(text(odd)), odd)
        self.check(text("h > 1 and a[h]*d or a[h]", heads=1), None)
        declared = text("d > 0 and a[h] * d or -(a[h] * d)").replace(" heads=2", " encoding.relation=math.abs(d) heads=2")
        self.assertIsNotNone(verdict(text("d > 0 and a[h] * d or -(a[h] * d)")))
        self.check(declared, None)
        self.assertEqual(checker.examine(declared)[0].given,
                         [", if encoding.relation=math.abs(d) is true", "; claims nothing"])
        self.assertIsNotNone(verdict(declared.replace("math.abs(d)", "d")))
        with_c = declared.replace("attention=rpe", f"attention=urpe c=formula c.factor={quote('a[h] * d')} c.parameters="
                                  f"{quote('{a: 1}')} c.share=model")
        self.assertIsNotNone(verdict(with_c))  # what is declared of the encoding says nothing of C
        self.check(with_c.replace("c.share", "c.relation=math.abs(d) c.share"), None)
        for bias, expected in (("a[h] -- d", "comments"), ("b[h]", "'b'"), ("os.exit()", "os.exit"), ("a[h] > 0 and d or 0", "branches"),
                               ("a[h] = d", "SyntaxError"), ("(" * 300 + "d", "not understood"), ("'d'", "not understood"),
                               ("a[h].real", "not understood"), ("9^9^9^9", "not understood"), ("d:f()", "not understood"),
                               ("[x for x in a]", "not understood"), ("local x = d; return x", "not understood")):
            self.check(text(bias), expected)

    def test_inputs(self):
        """What is added to the token tells places apart, and lengths where it names them; it is no bias."""
        def text(input, groups, bias=""):
            layer = f"encoding=formula{bias} encoding.input={quote(input)} encoding.parameters={quote('{w: 1}')}"
            return HEAD.replace("encoding=toeplitz encoding.std=0.02", layer) + (
                f"sample 2\nt 7 7\ng 0 1\ny 0 1\nsample 2\nt 7 7\ng {groups}\ny 1 0\nsample 3\nt 7 7 7\ng 4 5 6\ny 1 1 1\nend\n")
        for input in ("w * i * c", "w / n", "0"):
            self.check(text(input, "2 3"), None)
            self.check(text(input, "0 1"), None)
            self.assertIn("have different tokens", verdict(text(input, "0 0")))
        for input, alike in (("w * i", True), ("w * i / n", False), ("math.sin(w)", True)):
            other = text(input, "0 1").replace("g 4 5 6", "g 0 5 6").replace("mask=none", "mask=causal")
            self.assertEqual(verdict(other) is None, alike)
        self.check(text("w * i", "0 1", " encoding.bias=i"), None)
        self.assertIsNotNone(verdict(text("w", "0 1").replace(" encoding.input=w", "")))

    def test_tables_end_where_training_did(self):
        """C trained at length 1 is one number; at length 2 it tells the positions of equal tokens apart."""
        text = BY_HAND.replace("encoding=toeplitz encoding.std=0.02 attention=rpe", "encoding=none attention=urpe "
                               "c=toeplitz c.init=ones c.mean=1 c.share=model c.std=0.02")
        self.change("trained 4", "trained 1", None, text)
        self.change("trained 4", "trained 2", "do not see the same", text)

    def test_counts_over_the_length(self):
        """relu / n under a causal mask: position 1 of 2 is like position 2 of 4, but not like 2 of 3."""
        def text(n):
            return HEAD.replace("encoding=toeplitz encoding.std=0.02", "encoding=none").replace("any", "1").replace(
                "mask=none normaliser=softmax", "mask=causal normaliser=relu normaliser.power=1 normaliser.over=n") + (
                "sample 2\nt 7 7\ng {0} {1}\ny 0 1\nsample %d\nt%s\ng {2}\ny%s\nend\n" % (n, " 7" * n, " 1" * n))
        self.check(text(4).format(0, 1, "2 0 4 1"), None)
        self.check(text(3).format(0, 1, "2 0 4"), "are told apart by 1 layers")
        self.check(text(3).format(0, 1, "2 1 4"), "are told apart by 1 layers")
        self.check(text(3).format(0, 1, "2 3 1"), None)
        fixed = text(3).replace("relu normaliser.power=1 normaliser.over=n", "sigmoid normaliser.bias=0 "
                                "normaliser.minus_log=none normaliser.divide=none").format(0, 1, "0 1 4")
        self.check(fixed, None)
        self.change("minus_log=none", "minus_log=n", "are told apart by 1 layers", fixed)

    def test_malformed(self):
        for old, new in (("urpe-probe certificate 1", "urpe-probe certificate 2"), ("end\n", ""), ("trained 4\n", ""),
                         ("t 7 7 7 7", "t 7 7 7"), ("g 0 0 0 0", "g 0 0 0"), ("y 0x1p-2", "y"), ("sample 4", "sample 5"),
                         ("0x1p+0", "nan"), ("0x1p+0", "inf"), ("alone 0 0 0", "alone 0 -1 0"), ("depth any", "depth 0"),
                         ("depth any", "depth -1"), ("sample 4", "sample -4"), ("prefix 0", "prefix 1"), ("seed 0", "sed 0"),
                         ("channels 1", "channels 0"), ("t 7 7 7 7\n", ""), ("depth any", "depth any\ndepth 1"),
                         ("end\n", "layer encoding=learned attention=rpe mask=none normaliser=softmax\nend\n"),
                         ("end\n", "trained 2\nend\n"), ("y 0x1p-2", "\ny 0x1p-2"),
                         ("claim floor_sup 0x1.8p-2", "claim floor_sup 0x1.8p-2\nclaim floor_sup 0x1p-2")):
            with self.subTest(old=old, new=new):
                self.assertIn(old, BY_HAND)
                self.assertIsNotNone(verdict(BY_HAND.replace(old, new, 1)))
        self.assertIsNotNone(verdict(""))
        for old, new in (("alone 0 0 0", "alone 0 0 0\ndeviation 0x0p+0"), ("0x1p-2 0x1p-1 0x1.8p-1 0x1p+0", "- - - -")):
            self.assertIsNotNone(verdict(BY_HAND.replace(old, new, 1)))

    def test_example(self):
        """The README's is valid."""
        with open(os.path.join(os.path.dirname(PATH), "README.md")) as file:
            self.check(file.read().split("```\n")[-2], None)

    def test_program(self):
        with tempfile.TemporaryDirectory() as folder:
            plain, packed, wrong, cut = (os.path.join(folder, name) for name in ("a.txt", "b.gz", "c.txt", "d.gz"))
            with open(plain, "w") as file:
                file.write(BY_HAND)
            with gzip.open(packed, "wt") as file:
                file.write(BY_HAND)
            with open(wrong, "w") as file:
                file.write(BY_HAND.replace("t 7", "t 8"))
            with open(packed, "rb") as whole, open(cut, "wb") as file:
                file.write(whole.read()[:-20])
            def run(*names):
                done = subprocess.run([sys.executable, PATH, *names], capture_output=True, text=True)
                self.assertEqual(done.stderr, "")
                return done.returncode, done.stdout
            status, out = run(plain, packed)
            self.assertEqual((status, out.count(": valid")), (0, 2))
            self.assertIn("floor_rms 0.279508497187474", out)
            status, out = run(plain, wrong, cut, os.path.join(folder, "none"))
            self.assertEqual((status, out.count(": valid"), out.count("NOT valid")), (1, 1, 3))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
