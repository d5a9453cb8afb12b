"""Crowds at a page: what is measured in time and memory, each proxy by itself."""

import statistics
import time

import clients
from clients import ask, crowd, tell

# How many clients stand before a page whose origin dies.
MANY = 10_000


class Bench:
    """One proxy, and where its figures go."""

    def __init__(self, name, proxy, origin_port, times, table):
        self.name, self.proxy, self.times, self.table = name, proxy, times, table
        self.port, self.origin = proxy.port, origin_port
        self.drawn = 0

    def page(self, number, kind):
        """A page that nobody has asked for."""
        self.drawn += 1
        return f"/{self.name}-{self.drawn}/{number}/{kind}"

    def put(self, row, value, unit="ms", target=None):
        self.table.put(row, self.name, value, unit, target)

    def count(self, path):
        return tell(self.origin, f"/count{path}")

    def crowd(self, many, path):
        """The answers' times in ms; all have to be good."""
        waiting = clients.connect(self.port, many)
        answers = crowd(waiting, path)
        clients.close(waiting)
        bad = [answer for answer in answers if answer is None or answer.status != 200]
        if bad:
            raise RuntimeError(f"{self.name}, {path}: {len(bad)} bad answers, {bad[0]}")
        return [answer.whole * 1000 for answer in answers]


def cold(bench):
    for row, many, kind, millis, what, target in [
        ("40 clients, cold, 100 ms, storable: median answer", 40, "store", 100, "middle", 103),
        ("40 clients, cold, 100 ms, uncacheable: median answer", 40, "pass", 100, "middle", 210),
        ("200 clients, cold, 500 ms: slowest", 200, "store", 500, "slowest", 550),
    ]:
        judge = statistics.median if what == "middle" else max
        figures, asked = [], []
        for _ in range(bench.times):
            path = bench.page(millis, kind)
            figures.append(judge(bench.crowd(many, path)))
            asked.append(bench.count(path))
        bench.put(row, statistics.median(figures), "ms", target)
        if kind == "store":
            bench.put(f"{row.split(':')[0]}: requests to the origin", max(asked), "", 1)


def just_expired(bench):
    path = bench.page(500, "store")
    ask(bench.port, path)
    # Longer than the lifetime, for who counts in whole seconds too.
    time.sleep(3.2)
    before = bench.count(path)
    bench.put("200 clients, just expired, 500 ms: slowest", max(bench.crowd(200, path)), "ms", 550)
    row = "200 clients, just expired, 500 ms: requests to the origin"
    bench.put(row, bench.count(path) - before, "", 1)


def remembered(bench):
    figures = {"first": [], "remembered": []}
    for _ in range(1 if bench.name == "nginx" else bench.times):
        path = bench.page(200, "pass")
        for row in figures:
            figures[row].append(max(bench.crowd(50, path)))
    for row, target in [("first", 430), ("remembered", 220)]:
        name = f"50 clients, uncacheable, 200 ms, {row}: slowest"
        bench.put(name, statistics.median(figures[row]), "ms", target)


def follower(bench):
    late = []
    for _ in range(bench.times):
        path = bench.page(500, "stream")
        leader, second = clients.connect(bench.port, 2)
        leader.send(path)
        while leader.first is None:
            leader.read()
        late += [answer.first * 1000 for answer in crowd([second], path)]
        clients.close([leader, second])
    row = "a follower's first byte, when the leader's has come"
    bench.put(row, statistics.median(late), "ms", 10)


def memory(bench):
    """How much more it takes, at most, and what it puts on disk."""
    row = "64 MiB passed to one client: memory"
    (reader,) = clients.connect(bench.port, 1)
    watch = Watch(bench.proxy)
    reader.send(bench.page(64, "large"))
    while reader.read() is None:
        watch.look()
    clients.close([reader])
    watch.put(bench, row, 4)

    row = "four clients who don't read their 256 MiB: memory"
    silent = [clients.Client(bench.port, receive_buffer=4096) for _ in range(4)]
    watch = Watch(bench.proxy)
    for client in silent:
        client.send(bench.page(256, "large"))
    until = time.monotonic() + 4
    while time.monotonic() < until:
        watch.look()
        time.sleep(0.05)
    clients.close(silent)
    watch.put(bench, row, 8)


class Watch:
    """The most memory and disk since it was made."""

    def __init__(self, proxy):
        self.proxy, self.looked = proxy, 0
        self.before, self.disk_before = proxy.resident(), proxy.spooled()
        self.most, self.disk = self.before, self.disk_before

    def look(self):
        if time.monotonic() - self.looked > 0.02:
            self.looked = time.monotonic()
            self.most = max(self.most, self.proxy.resident())
            self.disk = max(self.disk, self.proxy.spooled())

    def put(self, bench, row, target):
        bench.put(row, (self.most - self.before) / (1 << 20), "MiB", target)
        disk = self.disk - self.disk_before
        bench.put(row.replace("memory", "on disk"), disk / (1 << 20), "MiB", 0)


def endless(bench):
    """How long the origin is read from when the only client has left."""
    path = bench.page(0, "endless")
    (client,) = clients.connect(bench.port, 1)
    client.send(path)
    while client.first is None or len(client.heard) == 0:
        client.read()
    clients.close([client])
    left, ended = time.monotonic(), 0
    while not ended and time.monotonic() < left + 10:
        time.sleep(0.02)
        ended = tell(bench.origin, f"/ended{path}")
    after = ended - left if ended else float("inf")
    bench.put("an endless storable body goes on after its last client", after, "s", 1)


def restarted(bench, origin):
    """Connections are kept to an origin that dies and is there again."""
    bench.crowd(20, bench.page(100, "pass"))
    bench.crowd(20, bench.page(100, "pass"))
    origin.die()
    origin.revive()
    waiting = clients.connect(bench.port, 20)
    bad, posts = 0, []
    for _ in range(3):
        each = [("POST" if n % 3 == 0 else "GET", bench.page(0, "pass")) for n in range(20)]
        answers = crowd(waiting, None, each=each)
        bad += sum(answer is None or answer.status != 200 for answer in answers)
        posts += [path for method, path in each if method == "POST"]
        clients.close(waiting)
        waiting = clients.connect(bench.port, 20)
    clients.close(waiting)
    twice = sum(bench.count(path) > 1 for path in posts)
    bench.put("60 requests after the origin restarted: errors", bad, "", 0)
    bench.put("the same: POSTs that were sent twice", twice, "", 0)


def stampede(bench, origin):
    """Many ask for a page at once: while it is fresh, and when its origin is dead."""
    path = bench.page(0, "keep")
    waiting = clients.connect(bench.port, MANY)
    # Once before it counts, so that all have been accepted.
    crowd(waiting, path)
    fresh, stale, bad = [], [], 0

    def rush(slowest):
        answers = crowd(waiting, path)
        slowest.append(max((a.whole * 1000 for a in answers if a), default=0))
        return sum(answer is None or answer.status != 200 for answer in answers)

    for _ in range(bench.times):
        ask(bench.port, path)
        bad += rush(fresh)
    origin.die()
    time.sleep(3.2)
    for _ in range(bench.times):
        bad += rush(stale)
    origin.revive()
    clients.close(waiting)
    bench.put(f"{MANY:,} clients, the origin dies: answers that are not 200", bad, "", 0)
    hit, dead = statistics.median(fresh), statistics.median(stale)
    bench.put(f"{MANY:,} clients, a hit: slowest", hit)
    bench.put(f"{MANY:,} clients, the origin dead: slowest, less that of a hit", dead - hit, "ms", 50)


IN_TURN = {
    "cold": cold,
    "just-expired": just_expired,
    "remembered": remembered,
    "follower": follower,
    "large": memory,
    "endless": endless,
}
WITH_A_DYING_ORIGIN = {"restarted": restarted, "stampede": stampede}
