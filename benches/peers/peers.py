#!/usr/bin/env python3
"""nginx, Varnish, HAProxy and larder side by side: one machine, one origin, one load.

Needs Python's standard library, a C compiler and those programs. Prints the
figures as Markdown; README.md says how to run it.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import app
import crowds
import loads
import proxies
import report
import sizes
import tools
from running import Running, free_port
from table import Table

CROWDS = [*crowds.IN_TURN, *crowds.WITH_A_DYING_ORIGIN]
ROWS = [*loads.ROWS, *sizes.ROWS, "app", *CROWDS]


class Origin:
    """The origin of the crowds, which can be killed and started anew."""

    def __init__(self, folder):
        self.port, self.folder = free_port(), folder
        self.revive()

    def revive(self):
        words = [sys.executable, str(Path(__file__).with_name("origin.py")), str(self.port)]
        self.running = Running(words, self.port, self.folder)

    def die(self):
        self.running.kill()


def measure_crowds(found, folder, arguments, table, chosen):
    """Each proxy by itself, one after the other. HAProxy's cache lets every request for a page
    that it doesn't have go on to the origin: it takes no part."""
    folder.mkdir()
    origin = Origin(folder)
    try:
        for name in [name for name in proxies.PROXIES if name in found and name != "haproxy"]:
            with proxies.start(name, found[name], origin.port, folder / name) as proxy:
                bench = crowds.Bench(name, proxy, origin.port, arguments.times, table)
                for row, measured in crowds.IN_TURN.items():
                    if row in chosen:
                        tools.tried(arguments, row, measured, bench)
                for row, measured in crowds.WITH_A_DYING_ORIGIN.items():
                    if row in chosen:
                        tools.tried(arguments, row, measured, bench, origin)
    finally:
        origin.die()


def measure(found, folder, arguments):
    """All that is chosen: what it costs, how crowds fare, and the app."""
    chosen, costs, crowd, django = arguments.rows, Table(), Table(), []
    for name, rooms, table, run in [
        ("loads", loads.ROWS, costs, loads.measure_all),
        ("sizes", sizes.ROWS, costs, sizes.measure_all),
        ("crowds", CROWDS, crowd, measure_crowds),
    ]:
        rows = [row for row in rooms if row in chosen]
        if rows:
            run(found, folder / name, arguments, table, rows)
    if "app" in chosen:
        django = app.measure(found, folder / "app", arguments)
    return costs, crowd, django


def words():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    built = Path(__file__).parents[2] / "target/release/larder"
    parser.add_argument("--larder", default=str(built), help="the program; a release build")
    parser.add_argument("--times", type=int, default=3, help="how often each is measured")
    parser.add_argument("--seconds", type=int, default=2, help="of load for a figure of CPU")
    parser.add_argument("--quick", action="store_true", help="once, for a second each")
    parser.add_argument("--rows", default=",".join(ROWS), help="some of: " + ", ".join(ROWS))
    parser.add_argument("--only", default="", help="servers beside larder: nginx,varnish,haproxy")
    parser.add_argument("--write", type=Path, help="write the whole document to this file")
    arguments = parser.parse_args()
    arguments.rows, arguments.failed = arguments.rows.split(","), []
    if unknown := set(arguments.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    if arguments.quick:
        arguments.times, arguments.seconds = 1, 1
    if arguments.write and (arguments.quick or set(arguments.rows) != set(ROWS)):
        parser.error("--write needs all rows, and not quickly")
    return arguments


def main():
    arguments = words()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    found = proxies.find(arguments.larder)
    if not {"nginx", "wrk", "larder"} <= set(found) or (os.cpu_count() or 1) < 2:
        sys.exit("this needs larder, nginx as the origin, wrk and two cores")
    if arguments.only:
        wanted = {"larder", "wrk", *arguments.only.split(",")}
        found = {name: program for name, program in found.items() if name in wanted | {"nginx"}}
    machine, began = report.machine(found), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        results = measure(found, Path(folder), arguments)
    took = time.monotonic() - began
    report.show(machine, took, *results)
    if arguments.failed:
        sys.exit(f"could not be measured: {', '.join(arguments.failed)}")
    if arguments.write:
        arguments.write.write_text(report.document(machine, took, *results))


if __name__ == "__main__":
    main()
