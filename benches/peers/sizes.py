"""What is measured beside CPU a request: waiting, cores, memory, the start."""

import subprocess
import time

import clients
import proxies
import tools
from clients import raw

IDLE, PAGES = 10_000, 300_000


class Stage:
    """Servers of their own for each row, in front of an origin that costs little."""

    def __init__(self, found, folder, arguments, table):
        folder.mkdir()
        self.found, self.folder, self.arguments, self.table = found, folder, arguments, table
        self.load = tools.compiled("load", folder)
        self.origin = proxies.static_origin(found["nginx"], folder / "origin", tools.CLIENT)
        self.drawn = 0

    def start(self, name, **options):
        self.drawn += 1
        folder = self.folder / f"{name}-{self.drawn}"
        return proxies.start(name, self.found[name], self.origin.port, folder, **options)

    def names(self, wanted):
        return [name for name in wanted if name in self.found]

    def warm(self, port, pages=1000):
        tools.load(self.load, port, "/hit/%d", pages + 1, connections=8)


def half_load(stage):
    """The rate is kept whatever becomes of the answers; waiting counts from when one is due."""
    times, seconds = stage.arguments.times, stage.arguments.seconds
    for name in stage.names(proxies.PROXIES):
        with stage.start(name, core=tools.SERVER) as server:
            stage.warm(server.port, 1)
            full = tools.load(stage.load, server.port, "/hit/1", 100_000)
            rate = full["requests"] / full["seconds"] / 2
            told = [
                tools.load(stage.load, server.port, "/hit/1", int(rate * seconds), rate=rate)
                for _ in range(times)
            ]
        waits = [one["p99"] / 1000 for one in told]
        stage.table.put("hits at half of the full load: p99", name, waits, "ms", 1)
        stage.table.put("the same: hits a second", name, rate, "/s")


def two_cores(stage):
    """Two larders of one thread, which share nothing, against one of two: the same cores, the
    same load, so that sharing is all that differs. A core's hits are half of the former's."""
    rates, costs = {1: [], 2: []}, {1: [], 2: []}
    both = f"{tools.SERVER},{tools.CLIENT}"
    alone = [stage.start("larder", core=both, threads=1) for _ in range(2)]
    together = stage.start("larder", core=both, threads=2)
    for server in (*alone, together):
        stage.warm(server.port)
    for _ in range(stage.arguments.times):
        for threads, servers in ((1, alone), (2, [together, together])):
            before = sum(server.cpu() for server in set(servers))
            told = tools.wrk_each(servers, "/hit", stage.arguments.seconds, both)
            spent = sum(server.cpu() for server in set(servers)) - before
            requests = sum(one["requests"] for one in told)
            rates[threads].append(sum(one["requests"] / one["seconds"] for one in told))
            costs[threads].append(spent / requests * 1e6)
    for server in (*alone, together):
        server.end()
    put, ratios = stage.table.put, tools.ratios
    core = [rate / 2 for rate in rates[1]]
    put("two cores shared with the load: hits a second", "larder", rates[2], "/s")
    put("the same, over those of one core", "larder", ratios(rates[2], core), "times", 1.9, True)
    put("two cores shared with the load: CPU of a hit", "larder", costs[2], "us")
    put("the same, over that of one thread", "larder", ratios(costs[2], costs[1]), "times", 1.05)


def idle(stage):
    for name in stage.names(proxies.PROXIES):
        with stage.start(name) as server:
            stage.warm(server.port, 1)
            before = server.anonymous()
            waiting = clients.connect(server.port, IDLE)
            answers = clients.crowd(waiting, "/hit/1")
            each = (server.anonymous() - before) / IDLE / 1024
            kept = server.descriptors()
            if kept < IDLE or any(one is None or one.status != 200 for one in answers):
                raise RuntimeError(f"{name} has not kept {IDLE:,} connections: {kept}")
            clients.close(waiting)
        row = f"{IDLE:,} connections, idle after a hit each: memory a connection"
        stage.table.put(row, name, each, "KiB", 12)


def pages(stage):
    """What a stored page takes beyond the bytes of its head and body."""
    head, body = raw(stage.origin.port, "/hit/1")
    for name in stage.names(["varnish", "larder"]):
        with stage.start(name, memory=2048) as server:
            stage.warm(server.port, 16)
            before = server.anonymous()
            tools.load(stage.load, server.port, "/hit/page-%d", PAGES)
            each = (server.anonymous() - before) / PAGES - len(head) - len(body)
            # All have to be there still: the first of them too.
            asked = clients.ask(server.port, "/hit/page-0")
            if b"\nage:" not in asked.head.lower():
                raise RuntimeError(f"{name} has not kept {PAGES:,} pages")
        row = f"{PAGES:,} pages of 1 KiB: memory a page beyond head and body"
        stage.table.put(row, name, each, "B", {"varnish": 1.0})


def start(stage):
    """From when the program is started to its first answer, a page from the origin."""
    for name in stage.names(proxies.PROXIES):
        waits = [first_answer(stage, name) for _ in range(max(3, stage.arguments.times))]
        stage.table.put("start to the first answer", name, waits, "ms", 50)


def first_answer(stage, name):
    stage.drawn += 1
    folder = stage.folder / f"{name}-{stage.drawn}"
    words, ports = proxies.words(name, stage.found[name], stage.origin.port, folder)
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while time.perf_counter() < began + 30:
            try:
                head, _ = raw(ports["port"], "/pass/1")
            except OSError:
                time.sleep(0.0005)
                continue
            if b" 200 " in head:
                return (time.perf_counter() - began) * 1000
    finally:
        process.terminate()
        process.wait(30)
    raise RuntimeError(f"{name} has not answered")


ROWS = {
    "half-load": half_load,
    "two-cores": two_cores,
    "idle": idle,
    "pages": pages,
    "start": start,
}


def measure_all(found, folder, arguments, table, chosen):
    """The chosen rows."""
    stage = Stage(found, folder, arguments, table)
    try:
        for name in chosen:
            tools.tried(arguments, name, ROWS[name], stage)
    finally:
        stage.origin.end()
