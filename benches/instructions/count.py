#!/usr/bin/env python3
"""Counts the instructions that a request takes outside the kernel.

Each kind of request is sent N and 2N times to the release binary under
callgrind; the difference is what N of them take. Compared with what
benches/instructions.toml holds for this compiler: more than 5 % above it is an
error. `--record` writes the figures there.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

import callgrind
from kinds import KINDS

RECORDED = Path(__file__).parents[1] / "instructions.toml"
MOST = 0.05

HEAD = """\
# Instructions outside the kernel that a request takes, by callgrind; written by
# `make count-record`. `make count` fails if one takes more than 5 % above this. The kinds of
# request are those of benches/instructions/kinds.py.
"""


def total(path):
    return int(re.search(r"^(?:summary|totals): (\d+)", path.read_text(), re.M).group(1))


def count(larder, name):
    once, twice = callgrind.difference(larder, name, total)
    return round((twice - once) / callgrind.REQUESTS)


def record(all_recorded, toolchain, counted):
    all_recorded.setdefault(toolchain, {}).update(counted)
    text = HEAD
    for name, figures in sorted(all_recorded.items()):
        lines = [f"{kind} = {figures[kind]:_}\n" for kind in KINDS if kind in figures]
        text += f'\n["{name}"]\n' + "".join(lines)
    RECORDED.write_text(text)


def judge(recorded, counted):
    """Prints a line a kind; the kinds that have grown."""
    grown = []
    for kind, figure in counted.items():
        before = recorded.get(kind)
        change = f"{figure / before - 1:+.1%} of {before:,}" if before else "nothing recorded"
        print(f"{kind:18} {figure:>9,}   {change}")
        if before and figure > before * (1 + MOST):
            grown.append(kind)
    return grown


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--larder", default=str(callgrind.LARDER), help="the release binary")
    parser.add_argument("--record", action="store_true", help="write the figures down")
    parser.add_argument("--kinds", default=",".join(KINDS), help="some of " + ", ".join(KINDS))
    arguments = parser.parse_args()
    callgrind.check(arguments.larder)
    callgrind.environment_is_ours()
    toolchain = callgrind.toolchain()
    all_recorded = tomllib.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    print(f"{toolchain}; instructions a request:", flush=True)
    counted = {kind: count(arguments.larder, kind) for kind in arguments.kinds.split(",")}
    grown = judge(all_recorded.get(toolchain, {}), counted)
    if arguments.record:
        record(all_recorded, toolchain, counted)
    elif grown:
        sys.exit(f"grown by more than {MOST:.0%}: {', '.join(grown)}")
    elif toolchain not in all_recorded:
        sys.exit(f"nothing is recorded for {toolchain}: make count-record")


if __name__ == "__main__":
    main()
