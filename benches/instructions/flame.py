#!/usr/bin/env python3
"""Draws where the instructions of a request go, as a flame graph.

Callgrind keeps each function apart by who called it, by whom that was called,
and so on; the difference of two runs is what the requests between them took.
Nothing is sampled. What is inlined is drawn as part of whatever it is in.
"""

import argparse
import collections
import re
import sys
from pathlib import Path

import callgrind
import svg
from kinds import KINDS

# So many callers of a function are kept: more than any stack has.
DEEP = "--separate-callers=100"
DOCS = callgrind.ROOT / "docs"
# The frames below this one are the same for all that a thread does.
GROUND = "tokio::runtime::runtime::Runtime::block_on"


def stacks(path):
    """Instructions of each stack itself, outermost frame first."""
    names, found = {}, collections.Counter()
    stack, is_of_a_call = (), False
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            kind, _, rest = line.partition("=")
            if kind in ("fn", "cfn"):
                number, _, name = rest.strip().partition(" ")
                if name:
                    names[number] = name
                if kind == "fn":
                    stack = names[number]
            elif kind == "calls":
                is_of_a_call = True
            elif line[:1] in "+-*0123456789":
                # The line after `calls=` is what the called function took.
                if not is_of_a_call:
                    found[stack] += int(line.split()[1])
                is_of_a_call = False
    merged = collections.Counter()
    for name, cost in found.items():
        merged[frames(name)] += cost
    return merged


def frames(name):
    """Callgrind writes the innermost first, and marks recursion by a number."""
    outermost_first = [frame for frame in reversed(name.split("'")) if not frame.isdigit()]
    if GROUND in outermost_first:
        return tuple(outermost_first[outermost_first.index(GROUND) + 1 :])
    return tuple(outermost_first)


def short(frame):
    """`Patient::poll_read` of `<larder::listen::Patient as AsyncRead>::poll_read`."""
    name = frame.replace("::{{closure}}", "")
    name = re.sub(r"^<(?:&?(?:mut )?)?(.*?) as .*>::(\w+)", r"\1::\2", name)
    name = re.sub(r"<impl (?:.* for )?([^<>]*)>", r"\1", name)
    while "<" in name:
        shorter = re.sub(r"(?:::)?<[^<>]*>", "", name)
        if shorter == name:
            break
        name = shorter
    return "::".join(name.split("::")[-2:])


def crate(frame):
    """Whose code a frame is: the first path in its name."""
    found = re.search(r"([a-z_][a-z0-9_]*)::", frame)
    return found.group(1) if found else "libc"


def shares(costs):
    """What each crate's own code took of the whole."""
    own = collections.Counter()
    for stack, cost in costs.items():
        own[crate(stack[-1]) if stack else "tokio"] += cost
    return {name: cost / sum(own.values()) for name, cost in own.items()}


def tree(costs):
    """Nested frames: name -> [instructions, frames on top]."""
    root = [0, {}]
    for stack, cost in costs.items():
        root[0] += cost
        level = root
        for frame in stack:
            level = level[1].setdefault(frame, [0, {}])
            level[0] += cost
    return root


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=["hit", "pass"], help=", ".join(KINDS))
    parser.add_argument("--larder", default=str(callgrind.LARDER), help="the release binary")
    parser.add_argument("--into", type=Path, default=DOCS, help="the folder; docs/ else")
    arguments = parser.parse_args()
    callgrind.check(arguments.larder)
    callgrind.environment_is_ours()
    for kind in arguments.kinds:
        if kind not in KINDS:
            sys.exit(f"no such kind: {kind}; there are {', '.join(KINDS)}")
        once, twice = callgrind.difference(arguments.larder, kind, stacks, [DEEP])
        twice.subtract(once)
        # What took less in the longer run is what did not come of requests.
        costs = {stack: cost / callgrind.REQUESTS for stack, cost in twice.items() if cost > 0}
        root = tree(costs)
        title = f"A {kind.replace('-', ' ')}: {root[0]:,.0f} instructions outside the kernel"
        path = arguments.into / f"flame-{kind}.svg"
        path.write_text(svg.draw(title, root, shares(costs), short, crate))
        print(f"{path}: {title}; {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
