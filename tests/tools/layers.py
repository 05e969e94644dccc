#!/usr/bin/env python3
"""Compares what the rooms of lib/ include, themselves and through other headers, with the table of
rooms in the Makefile, which is the only one, and looks for circles.

    layers.py [FOLDER]    where Makefile, README.md and lib/ are

Prints a line for each thing wrong, with the way from file to file; exits 1 when there is one."""
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def text_of(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


def room_of(file):
    return file.split("/")[0]


def read_table(makefile):
    """Rooms, lowest first, and of each the rooms it may see."""
    rooms = re.search(r"^LAYERS\s*:=(.*)$", makefile, re.M)[1].split()
    sees = {room: row.split() for room, row in re.findall(r"^SEES_(\w+)\s*:=(.*)$", makefile, re.M)}
    return rooms, sees


def read_includes(lib):
    """{file: files it includes}, as paths below lib; a name is looked up beside the file first."""
    names = [os.path.relpath(os.path.join(folder, name), lib)
             for folder, _, found in os.walk(lib) for name in found if name.endswith((".c", ".h"))]
    includes = {name: [] for name in names}
    for name in names:
        for found in INCLUDE.findall(text_of(lib, name)):
            beside = os.path.normpath(os.path.join(os.path.dirname(name), found))
            includes[name] += [path for path in (beside, found) if path in includes][:1]
    return includes


def ways(file, includes):
    """{header: the files from `file` to it}, the shortest way for each."""
    way, queue = {}, [(file, (file,))]
    for at, path in queue:
        for header in includes[at]:
            if header not in way:
                way[header] = path + (header,)
                queue.append((header, way[header]))
    return way


def table_faults(rooms, sees, folders, house):
    for room in sorted(set(rooms) ^ set(folders) | set(rooms) ^ set(sees)):
        yield f"lib/{room}: expected a folder, a name in LAYERS and a row SEES_{room} in the Makefile"
    for room in set(rooms) & set(sees):
        for seen in sees[room]:
            if seen not in rooms[:rooms.index(room)]:
                yield f"Makefile: SEES_{room} names {seen}, which is not below it in LAYERS"
    if house != rooms[::-1]:
        yield f"README.md: the house shows {' '.join(house)}; expected {' '.join(rooms[::-1])}"


def include_faults(sees, includes):
    seen, told = {}, set()
    for file in sorted(includes):
        room = room_of(file)
        for header, way in ways(file, includes).items():
            other = room_of(header)
            seen.setdefault(room, set()).add(other)
            if header == file:
                if min(way) == file:
                    yield "circle of headers: " + " > ".join(way)
            elif other not in sees.get(room, []) + [room] and (room, other) not in told:
                told.add((room, other))
                yield f"lib/{room} sees {other}/, and SEES_{room} does not: " + " > ".join(way)
    for room, row in sees.items():
        for unused in set(row) - seen.get(room, set()):
            yield f"Makefile: SEES_{room} names {unused}, and nothing in lib/{room} includes it"


def main(folder="."):
    lib = os.path.join(folder, "lib")
    rooms, sees = read_table(text_of(folder, "Makefile"))
    house = re.findall(r"^lib/(\w+)/ ", text_of(folder, "README.md"), re.M)
    folders = [name for name in os.listdir(lib) if os.path.isdir(os.path.join(lib, name))]
    faults = [*table_faults(rooms, sees, folders, house), *include_faults(sees, read_includes(lib))]
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
