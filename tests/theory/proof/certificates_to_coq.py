"""Certificates as terms of Coq, for the checker that is proved sound (Checker.v, Figures.v).

    certificates_to_coq.py CHECKER CERTIFICATE...    these, which must be valid
    certificates_to_coq.py CHECKER --small PROGRAM   small ones of every class, true and false, by
                                                     tests/cmd/help_certificate.py and by PROGRAM

CHECKER is the path of urpe-probe-check, which reads the file and gives names their meaning; what is
judged inside Coq are tokens, views, groups and figures.  Writes theorems `check c = true` (or false)
to standard output.
"""
import importlib.machinery
import importlib.util
import itertools
import os
import sys
import tempfile
from collections import Counter

sys.dont_write_bytecode = True
KINDS = {"ordered": "ordered", "counted": "counted", "normalised": "normalised", "per number": "per_number"}


def load(path):
    loader = importlib.machinery.SourceFileLoader("checker", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("checker", loader))
    loader.exec_module(module)
    return module


def listed(values):
    return "[" + "; ".join(map(str, values)) + "]"


def step_term(c, checker, step):
    """The step's class, and for each pair its number and what it sees: (pair, relation)."""
    numbers, rows, parts = [], [], ([], [])  # parts: of each relation what values and what weights know, as numbers
    ids, known = {}, ({}, {})
    powers = step.clause == checker.POWERS and c.space[0] == "sequence" and not c.registers
    for sample in c.samples:
        layout = sample.layout
        for i in range(layout.size):
            seen = [j for j in range(layout.size) if step.sees(layout, i, j)]
            relations = [step.relation(layout, i, j) for j in seen]
            for relation in relations:
                if relation not in ids:
                    ids[relation] = len(ids)
                    for part, names, what in zip(parts, known, reversed(relation)):
                        part.append(names.setdefault(what, len(names)))
                    if powers:
                        parts[1][-1] = checker.math.isqrt(relation[0])
            rows.append(listed(f"({sample.start + j}, {ids[r]})" for j, r in zip(seen, relations)))
            numbers.append(step.number(layout) if seen else 0)
    value, weight = (f"(entry 0%N {listed(part)}%N)" for part in parts)
    clause = {checker.NOTHING: "no_clause", checker.ONE_THING: f"values {value}"}.get(
        step.clause, f"ratios {value} ({'powers' if powers else 'free'} {weight})")
    return (f"{{| step_class := {{| of_kind := {KINDS[step.kind]}; with_clause := {clause} |}};\n"
            f"       numbers := {listed(numbers)}%nat;\n       seen := {listed(rows)}%N |}}")


def first_of(colours):
    leader = {}
    return [leader.setdefault(colour, pair) for pair, colour in enumerate(colours)]


def scope_term(checker, c):
    if not c.depth:
        return f"any_depth {listed(c.first)}%N"
    colour = checker.numbered(token for sample in c.samples for token in sample.tokens)
    partitions = [first_of(colour)]
    for step in c.steps:
        colour = checker.refine(c, step, colour)
        partitions.append(first_of(colour))
    partitions[-1] = c.first  # what the certificate says
    return f"of_rounds {listed(partitions[0])}%N [" + "; ".join(f"{listed(p)}%N" for p in partitions[1:]) + "]"


def term(checker, c, name, valid):
    """A certificate whose figures are those of its groups, and the theorem about it."""
    flat = [y for sample in c.samples for y in sample.targets]
    scored = [pair for pair, y in enumerate(flat) if y is not None]
    by_labels = c.targets == checker.of_labels
    groups = {}
    for pair in scored:
        groups.setdefault(c.first[pair], []).append(flat[pair])
    mse = sup = "0"
    right, scale = len(scored) + c.alone[1], 0
    targets = labels = "[]"
    if by_labels:
        right = sum(max(Counter(y for y, _ in ys).values()) for ys in groups.values()) + c.alone[1]
        labels = listed(0 if y is None else y[0] for y in flat) + "%nat"
    else:
        scale = c.unit.bit_length() - 1
        square, gap = checker.Fraction(0), 0
        for ys in groups.values():
            for column in zip(*ys):
                square += sum(y * y for y in column) - checker.Fraction(sum(column) ** 2, len(column))
                gap = max(gap, max(column) - min(column))
        exact = square / (c.pairs * c.channels * c.unit ** 2)
        mse, sup = f"({exact.numerator} # {exact.denominator})", f"({gap} # {2 * c.unit})"
        targets = listed("[]" if y is None else listed(f"({v})" for v in y) for y in flat) + "%Z"
    tokens = checker.numbered(token for sample in c.samples for token in sample.tokens)
    steps = ";\n     ".join(step_term(c, checker, step) for step in c.steps)
    return f"""
Definition {name} : certificate := {{|
  tokens := {listed(tokens)}%N;
  plan_steps := [
     {steps}];
  groups_of := {scope_term(checker, c)};
  evaluated := {listed(scored)}%N;
  alone := {c.alone[1]}%nat; channels := {c.channels}%nat;
  targets := {targets}; scale := {scale}%N;
  labels := {labels};
  claimed_mse := {mse}%Q; claimed_sup := {sup}%Q; claimed_right := {right}%nat |}}.
Theorem {name}_is_{"valid" if valid else "refused"} : check {name} = {str(valid).lower()}.
Proof. vm_compute. reflexivity. Qed.
"""


def class_of(c):
    """Kind and clause, and what else must come with each: depth, plan, prefix, space, rows that see nothing."""
    step = c.steps[0]
    empty = any(not any(step.sees(s.layout, i, j) for j in range(s.layout.size))
                for s in c.samples for i in range(s.layout.size))
    return step.kind, step.clause, bool(c.depth), len(set(map(id, c.steps))) > 1, c.prefix > 0, c.space[0], empty


def made(maker):
    """Certificates that help_certificate.py makes."""
    for seed in range(1500):
        yield maker.random_case(maker.rng_of(seed)).text()


def written(maker, program):
    """Those that the program writes of layers, plans and prefixes at random."""
    rng = maker.rng_of(0)
    for space, keys in maker.SPECS.items():
        plans = [[layer] for layer in rng.sample(list(maker.all_layers(rng, space)), 100)]
        plans += [[a, b] for (a,), (b,) in zip(plans, plans[1:])]
        lines = [maker.case_line(*plan, prefix=k % 2 * (space == "sequence")) for k, plan in enumerate(plans)]
        with tempfile.TemporaryDirectory() as folder:
            yield from (text for text, _ in maker.written(program, folder, maker.SPEC.format(**keys) + "".join(lines)))


def small_ones(checker, maker, texts, least):
    """Of these certificates the first of each class, space, plan, prefix and depth; each that has merged
    pairs is followed by one with a pair in a wrong group, if there is one."""
    seen, true, false, name = set(), 0, 0, texts.__name__
    rng = maker.rng_of(1)
    for text in texts:
        c, _ = checker.examine(text)
        kind = class_of(c)
        new = {kind[:2] + (number, part) for number, part in enumerate(kind[2:])} - seen
        if not new or len(set(c.first)) == len(c.first) or c.pool:
            continue
        seen |= new
        true += 1
        yield c, f"{name}_{true}", True
        pair, other = rng.randrange(len(c.first)), rng.choice(c.first)
        if c.first.count(pair) == (c.first[pair] == pair) and other != pair:
            c.first[pair] = other
            try:
                checker.judge(c)
            except checker.Wrong:
                false += 1
                yield c, f"{name}_but_{false}", False
    kinds = {kind[:2] for kind in seen}
    if len(kinds) < 7 or true < least or false < 10:
        sys.exit(f"certificates_to_coq.py: {name}: only {sorted(kinds)}, {true} true, {false} false")
    print(f"{name}: {true} certificates valid, {false} refused, in Coq and by urpe-probe-check", file=sys.stderr)


def main():
    checker = load(sys.argv[1])
    if sys.argv[2] == "--small":
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cmd"))
        import help_certificate as maker
        ones = itertools.chain(small_ones(checker, maker, made(maker), 18),
                               small_ones(checker, maker, written(maker, sys.argv[3]), 18))
    else:
        ones = []
        for number, path in enumerate(sys.argv[2:], 1):
            with open(path, "rb") as file:
                data = file.read()
            text = checker.gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
            c, _ = checker.examine(text.decode())
            if c.pool:
                sys.exit(f"certificates_to_coq.py: {path}: the checker in Coq does not know means")
            ones.append((c, f"certificate_{number}", True))
    print("Require Import List NArith ZArith QArith Urpe.Views Urpe.Networks Urpe.Checker Urpe.Figures.\nImport ListNotations.")
    for c, name, valid in ones:
        print(term(checker, c, name, valid))


if __name__ == "__main__":
    main()
