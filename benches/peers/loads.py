"""CPU a request: the servers on one core, the load on the other, each server in turn."""

import os
import re
from dataclasses import dataclass, field

import proxies
import tools
from clients import raw


@dataclass
class Load:
    """A row. `pages` are as many as are asked for in turn, 0: each time another one."""

    title: str
    path: str
    pages: int
    target: dict
    # A line of each request.
    sends: str = ""
    # Each request has to reach the origin; else none may.
    goes_on: bool = False
    # Servers that take no part.
    without: set = field(default_factory=set)
    logged: bool = False


ROWS = {
    "hit": Load(
        "hit, 1 KiB", "/hit", 1000, {"nginx": 0.62, "varnish": 0.40, "floor": 1.15}
    ),
    "hit-logged": Load(
        "hit, 1 KiB, access log on", "/hit", 1000, {"nginx": 0.70}, logged=True,
        without={"varnish", "haproxy", "floor"},
    ),
    "hit-32k": Load("hit, 32 KiB", "/32k", 1000, {"floor": 1.05}),
    "hit-1m": Load("hit, 1 MiB", "/1m", 100, {"floor": 1.05}),
    "not-modified": Load(
        "304 to a client's condition", "/hit", 1000, {"nginx": 0.62},
        sends='If-None-Match: "1a2b3c"', without={"floor"},
    ),
    "pass": Load(
        "pass, 1 KiB", "/pass", 1000, {"nginx": 1.0}, goes_on=True, without={"floor"}
    ),
    # HAProxy's cache keeps few pages of a rush of misses.
    "miss": Load(
        "miss, stored, 1 KiB", "/hit", 0, {"nginx": 1.0, "varnish": 0.5}, goes_on=True,
        without={"floor", "haproxy"},
    ),
}


class Stage:
    """The servers of this kind of row, started when one needs them."""

    def __init__(self, found, folder):
        self.found, self.folder, self.running, self.drawn = found, folder, {}, 0
        self.load = tools.compiled("load", folder)
        self.floor_program = tools.compiled("floor", folder)
        self.origin = proxies.static_origin(found["nginx"], folder / "origin", tools.CLIENT)

    def proxy(self, name, log="off"):
        key = f"{name}-{log}"
        if key not in self.running:
            self.running[key] = proxies.start(
                name, self.found[name], self.origin.port, self.folder / key, tools.SERVER, log=log
            )
        return self.running[key]

    def floor(self, row):
        """The floor with what larder answers for a page of this row."""
        key = f"floor{row.path}"
        if key not in self.running:
            response = b"".join(raw(self.proxy("larder").port, f"{row.path}/1"))
            folder = self.folder / key.replace("/", "-")
            self.running[key] = proxies.floor(
                self.floor_program, response, row.pages, folder, tools.SERVER
            )
        return self.running[key]

    def lanes(self, row):
        """The servers of a row, each with its port."""
        for name in proxies.PROXIES:
            if name not in self.found or name in row.without:
                continue
            proxy = self.proxy(name, "combined" if row.logged and name == "larder" else "off")
            if row.logged and name == "nginx":
                yield "nginx", proxy, proxy.ports["logged"]
                yield "nginx, buffered", proxy, proxy.ports["buffered"]
            else:
                yield name, proxy, proxy.port
        if "floor" not in row.without and "larder" in self.found:
            floor = self.floor(row)
            yield "floor", floor, floor.port

    def asked(self):
        """How often the origin has been asked."""
        told = raw(self.origin.port, "/status")[1]
        return int(re.search(rb"\n \d+ \d+ (\d+) \n", told).group(1))

    def end(self):
        for one in [*self.running.values(), self.origin]:
            one.end()


def measure(stage, row, arguments, table):
    lanes = list(stage.lanes(row))
    if row.pages:
        for _, _, port in lanes:
            tools.load(stage.load, port, f"{row.path}/%d", row.pages + 1, connections=8)
    figures = {name: [] for name, _, _ in lanes}
    for _ in range(arguments.times):
        for name, server, port in lanes:
            figures[name].append(once(stage, row, server, port, arguments.seconds))
    for name, values in figures.items():
        if name == "nginx, buffered":
            table.put(f"{row.title}, nginx's with a buffer", "nginx", values, "us")
            table.put(f"{row.title}, nginx's with a buffer", "larder", figures["larder"], "us")
        else:
            table.put(f"CPU of a {row.title}", name, values, "us", row.target)


def once(stage, row, server, port, seconds):
    """Microseconds of the server's CPU a request."""
    stage.drawn += 1
    path = row.path if row.pages else f"{row.path}/{os.getpid()}-{stage.drawn}"
    asked, before = stage.asked(), server.cpu()
    requests = ask(stage, row, port, path, seconds)
    spent, asked = server.cpu() - before, stage.asked() - asked
    if asked < requests if row.goes_on else asked > 2 + requests / 100:
        what = f"{requests} requests, {asked} at the origin"
        raise RuntimeError(f"{row.title}, {server.name}: {what}")
    return spent / requests * 1e6


def ask(stage, row, port, path, seconds):
    """Loads a server; how many requests were answered. wrk waits for the body that a 304 with a
    length doesn't have."""
    if row.sends:
        count, pages = 30_000 * seconds, f"{path}/%d"
        one = tools.load(stage.load, port, pages, count, pages=row.pages, field=[row.sends])
    else:
        one = tools.wrk(port, path, seconds, pages=row.pages)
    return one["requests"]


def measure_all(found, folder, arguments, table, chosen):
    """The chosen rows."""
    folder.mkdir()
    stage = Stage(found, folder)
    try:
        for name in chosen:
            tools.tried(arguments, name, measure, stage, ROWS[name], arguments, table)
    finally:
        stage.end()
