#!/usr/bin/env python3
"""nginx, Varnish and larder side by side: one machine, one origin, one load.

Needs nothing but Python's standard library, and of the programs those that are
on PATH. Prints the figures as Markdown. README.md says how to run it.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import proxies
import rows
from table import Table


class Origin:
    """The origin, which can be killed and started anew."""

    def __init__(self, folder):
        self.port, self.folder = proxies.free_port(), folder
        self.revive()

    def revive(self):
        words = [sys.executable, str(Path(__file__).with_name("origin.py")), str(self.port)]
        self.running = proxies.Running(words, self.port, self.folder)

    def die(self):
        self.running.kill()


def measure(found, folder, arguments, table):
    """What is measured in time and memory: each proxy by itself, one after the other."""
    origin = Origin(folder)
    running = []
    try:
        for name, program in found.items():
            proxy = proxies.start(name, program, origin.port, folder / name)
            running.append(proxy)
            bench = rows.Bench(name, proxy, origin.port, arguments.times, table)
            for row in rows.IN_TURN:
                row(bench)
            for row in rows.WITH_A_DYING_ORIGIN:
                row(bench, origin)
            proxy.end()
    finally:
        origin.die()
        for one in running:
            one.kill()


def cpu(found, folder, arguments, table):
    """CPU a request: all proxies run, on one core, and are loaded in turn."""
    if not shutil.which("wrk") or "nginx" not in found or (os.cpu_count() or 1) < 2:
        print("CPU is not measured: that needs wrk, nginx and two cores", file=sys.stderr)
        return
    folder.mkdir()
    running = [proxies.static_origin(found["nginx"], folder / "origin", 1)]
    try:
        for name, program in found.items():
            running.append(proxies.start(name, program, running[0].port, folder / name, 0))
        rows.cpu(dict(zip(found, running[1:])), arguments, table)
    finally:
        for one in running:
            one.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    built = Path(__file__).parents[2] / "target/release/larder"
    parser.add_argument("--larder", default=str(built), help="the program; a release build")
    parser.add_argument("--times", type=int, default=3, help="how often each is measured")
    parser.add_argument("--seconds", type=int, default=2, help="of load for a figure of CPU")
    arguments = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    found, table = proxies.find(arguments.larder), Table()
    for name, program in found.items():
        print(f"- {proxies.version(name, program)}")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        measure(found, Path(folder), arguments, table)
        cpu(found, Path(folder) / "cpu", arguments, table)
    load = os.getloadavg()[0]
    print(f"- {os.cpu_count()} cores, load {load:.1f}, {time.strftime('%Y-%m-%d')}\n")
    table.print(list(found))


if __name__ == "__main__":
    main()
