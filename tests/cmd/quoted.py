#!/usr/bin/env python3
"""Checks that each number in a table of a page has its row in a committed CSV.

    quoted.py PAGE.md...

A page's CSVs are those that it links to.  Looked at are its Markdown tables and the code block behind
<!-- table -->.  Rows of the CSVs are chosen by what the table's line and column say (target, encoding,
attention, parameters, length, subset), and one of them must have the number, to the digits printed.
A table that no CSV here holds stands behind the line <!-- no CSV --> and a sentence that says so ("not in a
CSV").  Columns of explicit weights, curves and verdicts are no measured errors, and are left alone.
Prints what is missing; exit status 1 where something is."""
import csv
import re
import sys
from pathlib import Path

NUMBER = r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?"
# a, a±b, a×÷b, a..b, and the letter of a unit
CELL = re.compile(rf"({NUMBER})(?:(\.\.|±|×÷) ?({NUMBER}))?[bwr]?")
ERRORS = ("error_rel", "accuracy", "bits_per_byte", "error_rms")
FLOORS = ("floor_rel", "accuracy_ceiling", "cross_entropy_floor", "floor_rms")
DEPTH_FLOORS = tuple("depth_" + name for name in FLOORS)
NATS = 0.6931471805599453
NAMES = ("target", "encoding", "attention", "mask")
NOT_MEASURED = {"witness", "curve", "verdict", "options", "target", "encoding", "attn", "pattern", "mask", "cells"}


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def printed(value, text):
    """Whether a value is written so: half a unit of the last digit, and what halves do in binary."""
    mantissa, _, exponent = text.partition("e")
    digits = len(mantissa.partition(".")[2])
    return abs(value - float(text)) <= 0.5001 * 10 ** (int(exponent or 0) - digits)


def spreads(row):
    """What may stand beside the mean of a row of a summary: (sign, second number)."""
    get = {name: number(row.get(name)) for name in ("ci95_low", "ci95_high", "least", "greatest")}
    if row.get("figure", "").startswith("accuracy") and None not in get.values():  # shares of wrong answers
        yield "×÷", ((1 - get["ci95_low"]) / (1 - get["ci95_high"])) ** 0.5 if get["ci95_high"] < 1 else 1
        yield "..", 1 - get["least"]
    if get["ci95_low"] is not None and get["ci95_high"] is not None:
        yield "±", (get["ci95_high"] - get["ci95_low"]) / 2
        if get["ci95_low"] > 0:
            yield "×÷", (get["ci95_high"] / get["ci95_low"]) ** 0.5
    if get["greatest"] is not None:
        yield "..", get["greatest"]


def values(row, figures=None):
    """First numbers that a table may show of a row."""
    if "figure" not in row:
        return [v for v in map(number, row.values()) if v is not None]
    if figures and row["figure"] not in figures:
        return []
    out = [v for v in (number(row[c]) for c in ("mean", "least", "ci95_low", "ci95_high") if c in row) if v is not None]
    if "accuracy" in row["figure"]:
        out += [1 - v for v in out]
        out += [(out[-1] * out[-2]) ** 0.5] if number(row.get("ci95_high")) is not None else []
    if row["figure"] == "cross_entropy_floor":
        out += [v / NATS for v in out]
    low, high = number(row.get("ci95_low")), number(row.get("ci95_high"))
    if low and high and low > 0:
        out.append((low * high) ** 0.5)
    return out


def has(rows, cell, figures=None):
    first, sign, second = CELL.fullmatch(cell).groups()
    for row in rows:
        if any(printed(v, first) for v in values(row, figures)):
            if not sign or any(s == sign and printed(v, second) for s, v in spreads(row)):
                return True
    return False


def by_names(rows, words):
    """The rows of the names among the words of a line, where there are some."""
    words = {w.lower() for w in words}
    for name in NAMES:
        wanted = words & {row[name] for row in rows if row.get(name)}
        if wanted and name != "mask":
            rows = [row for row in rows if row.get(name) in wanted]
    return rows


def by_number(rows, name, text):
    kept = [row for row in rows if row.get(name) == text]
    return kept or rows


class Page:
    def __init__(self, path):
        self.path, self.lines, self.missing, self.checked = Path(path), Path(path).read_text().splitlines(), [], 0
        linked = re.findall(r"\]\(([\w./-]+\.csv)\)", "\n".join(self.lines))
        self.rows = [row for name in dict.fromkeys(linked) if (self.path.parent / name).exists()
                     for row in csv.DictReader((self.path.parent / name).open())]

    def judge(self, at, rows, cell, figures=None):
        self.checked += 1
        if not has(rows, cell, figures):
            self.missing.append(f"{self.path}:{at + 1}: {cell} is in no CSV of the page: {self.lines[at].strip()[:90]}")

    def markdown(self, at, line):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        rows = by_names(self.rows, [w for c in cells for w in re.split(r"[ ,]+", c)])
        for cell in cells:
            if any(row.get("vocab") == cell for row in rows):
                rows = by_number(rows, "vocab", cell)
        for cell in cells[1:]:
            for word in re.split(r" / |, ", cell.replace(" ± ", "±").replace("+0", "0")):
                if CELL.fullmatch(word) and not any(row.get("vocab") == word for row in rows):
                    self.judge(at, rows, word)

    def printed_line(self, at, header, line, label):
        """Numbers end where the names of their columns do."""
        rows, before, cells = by_names(self.rows, (label + " " + line).split()), None, []
        joined = re.sub(r" ([±×])", r"_\1", line)  # "1.100 ±0.2" is one
        for word in re.finditer(r"\S+", joined):
            column = next((n for n, end in header if end == word.end()), None)
            cells.append((column, word.group().replace("_", "")))
        for (column, word) in cells:
            if column in ("params", "length"):
                rows = by_number(rows, column, word)
        pattern = next((w for w in line.split() if any(r.get("subset") == w for r in self.rows)), None)
        for (column, word), position in zip(cells, range(len(cells))):
            if not column or column in NOT_MEASURED or not CELL.fullmatch(word):
                continue
            floor, deep = column.endswith("floor"), column == "depth floor"
            subset = before if floor else column
            before = column if not floor else before
            names = {r.get("subset") for r in rows}
            subset = pattern if subset == "patterned" else subset
            if subset not in names and subset != "generic":
                continue  # an axis
            chosen = [r for r in rows if r.get("subset") == subset] or [r for r in rows if r.get("subset") == "all"]
            self.judge(at, rows if deep else chosen, word, DEPTH_FLOORS if deep else FLOORS if floor else ERRORS)

    def check(self):
        table = header = None
        exempt = False
        for at, line in enumerate(self.lines):
            if line.startswith("<!-- no CSV -->"):
                exempt = True
                if "not in a CSV" not in " ".join(" ".join(self.lines[max(0, at - 8):at]).split()):
                    self.missing.append(f"{self.path}:{at + 1}: the text before must say that this is not in a CSV")
            elif line.startswith("<!-- table -->"):
                table, header = "next", None
            elif line.startswith("```"):
                table = "in" if table == "next" else None
            elif table == "in" and not header and re.search(r"\b(verdict)\b", line):
                header = [(m.group(), m.end()) for m in re.finditer(r"(?:depth )?[\w.-]+", line)]
            elif table == "in" and header and line and not line.startswith(("curve", "held", "NOT HELD", "[", " " * 8)):
                if not line.startswith(" "):
                    label = line  # where names stand above figures
                self.printed_line(at, header, line, label)
            elif line.startswith("|") and not table:
                if not exempt and not set(line) <= set("|-: "):
                    self.markdown(at, line)
            elif line.strip():
                exempt = False
        return self.missing


def main():
    missing, checked = [], 0
    for name in sys.argv[1:]:
        page = Page(name)
        missing += page.check()
        checked += page.checked
    print(*missing, f"{checked} numbers looked at, {len(missing)} without a row", sep="\n")
    return 1 if missing or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
