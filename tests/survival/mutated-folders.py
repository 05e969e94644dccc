#!/usr/bin/env python3
"""Reports results folders that somebody has tampered with: no command may run, nothing outside the folder may
be written, and the program must end by itself.

    mutated-folders.py PROGRAM COUNT [SEED]

Works in the folder it is called in, which should be empty.  Exit status: 0 when all held.
"""
import os
import random
import shutil
import subprocess
import sys
from collections import Counter

SPEC = """name: stranger
space: {length: 4, channels: 1, inputs: {identical: 0.5}}
target: gain
model: {layers: 1, heads: 1, width: 4, ffn: 4, encoding: toeplitz}
train: {steps: 3, batch: 2}
evaluate: {samples: 6, every: 1}
grid: {model.attention: [rpe, urpe]}
figures: [tables, curves]
claims: [{where: {attention: rpe}, expect: {verdict: impossible}}]
"""
COMMANDS = ["touch PWNED", "touch ../PWNED", "touch mine/PWNED"]
HOSTILE = ["'. system('{}') .'", '". system("{}") ."', "`{}`", "$({})", "|{}", "<{}", "0; system '{}'", "@ARG1\n!{}\n",
           "\\\";!{};\\\"", "\x1b[2J", "%s%n%n%d", "../mine/file", "../../mine/file", "/etc/passwd", "~root", "-", "--",
           "1e999", "nan", "-1", "99999999999999999999", "\0", "\xff", '"', "'", ",", "\n", "\r\n", "{{", "}}", "<script>"]


def hostile(rng):
    return rng.choice(HOSTILE).replace("{}", rng.choice(COMMANDS)).encode("latin-1")


def files_of(folder):
    return sorted(os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)


def change_bytes(rng, path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        data[at:at + rng.choice((0, 0, 1, 2, 30))] = hostile(rng) if rng.random() < 0.7 else bytes([rng.randrange(256)])
    with open(path, "wb") as file:
        file.write(data)


def change_field(rng, path):
    """A field of a table, or a word of another file."""
    with open(path, "rb") as file:
        data = file.read()
    separator = b"," if path.endswith(".csv") else b" "
    parts = data.split(separator)
    word = hostile(rng)
    if separator == b"," and rng.random() < 0.5:
        word = b'"' + word.replace(b'"', b'""') + b'"'
    parts[rng.randrange(len(parts))] = word
    with open(path, "wb") as file:
        file.write(separator.join(parts))


def cut(rng, path):
    os.truncate(path, rng.randrange(os.path.getsize(path) + 1))


def link(rng, path):
    os.remove(path)
    os.symlink(rng.choice((os.path.abspath("mine/file"), os.path.abspath("mine/new"), os.path.abspath("mine"), path)), path)


def link_folder(rng, path):
    folder = os.path.dirname(path)
    if os.path.islink(folder) or folder == "case":
        return
    shutil.rmtree(folder)
    os.symlink(os.path.abspath("mine"), folder)


def rename(rng, path):
    name = hostile(rng).replace(b"/", b"_").replace(b"\0", b"_")[:200] or b"_"
    at = path if rng.random() < 0.5 or os.path.dirname(path) == "case" else os.path.dirname(path)
    os.rename(at, os.path.join(os.path.dirname(at).encode(), rng.choice((name, os.path.basename(at).encode() + name))))


def pipe(rng, path):
    os.remove(path)
    os.mkfifo(path)


def drop(rng, path):
    os.remove(path)


CHANGES = [change_bytes] * 4 + [change_field] * 6 + [cut, cut, link, link, link_folder, rename, rename, pipe, drop]


def mutate(rng):
    shutil.rmtree("case", ignore_errors=True)
    shutil.copytree("whole", "case")
    for _ in range(rng.randint(1, 5)):
        files = [path for path in files_of("case") if os.path.isfile(path) and not os.path.islink(path)]
        # What is read again is what a stranger would change: not what report writes.
        files = [path for path in files if rng.random() < 0.3 or "/cells/" in path or "/specs/" in path]
        if files:
            rng.choice(CHANGES)(rng, rng.choice(files))


def outside():
    """All that is not the folder, and what is in it."""
    out = {}
    for at, folders, names in os.walk("."):
        if at == ".":
            folders.remove("case")
        for name in names:
            path = os.path.join(at, name)
            with open(path, "rb") as file:
                out[path] = file.read()
    return out


def main():
    program, count = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    os.makedirs("mine")
    os.makedirs("temporary")
    os.environ["TMPDIR"] = os.path.abspath("temporary")
    for path, text in (("mine/file", "precious\n"), ("spec.yaml", SPEC)):
        with open(path, "w") as file:
            file.write(text)
    subprocess.run([program, "run", "spec.yaml", "--out", "whole", "--quiet", "--no-claims"], check=True)
    subprocess.run([program, "report", "whole", "--no-claims"], check=True, stdout=subprocess.DEVNULL)
    shutil.copytree("whole", "case")
    before, ends, bad = outside(), Counter(), 0
    for k in range(count):
        mutate(random.Random(seed * 10**6 + k))
        command = [program, "report", "case"] + ["--gnuplot"] * (k % 4 == 0)
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
            end, said = done.returncode, done.stderr.decode("latin-1")
        except subprocess.TimeoutExpired:
            end, said = "no end", ""
        ends[end] += 1
        pwned = any("PWNED" in name for at, _, names in os.walk(".") for name in names if name == "PWNED")
        if end not in (0, 1, 2, 3) or pwned or outside() != before or "Sanitizer" in said:
            bad += 1
            print(f"folder {k} (seed {seed}): ends with {end}; {'a command ran; ' * pwned}{said[-2000:]}")
            shutil.copytree("case", f"bad-{k}", symlinks=True)
            before = outside()
    statuses = ", ".join(f"{number} with status {end}" for end, number in sorted(ends.items(), key=str))
    print(f"{count} mutated folders: {statuses}; {bad} ran a command, wrote outside or did not end by themselves")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
