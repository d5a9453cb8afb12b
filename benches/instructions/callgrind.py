"""The release binary under callgrind, with one thread, one client and one kind of request."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kinds import KINDS, Asker, Origin

ROOT = Path(__file__).parents[2]
LARDER = ROOT / "target/release/larder"
# Requests of the shorter of two runs; the longer has twice as many.
REQUESTS = 1000
WARM = 20

CONFIG = """
listen = "127.0.0.1:{port}"
threads = 1
[origin]
to = "127.0.0.1:{origin}"
[admin]
listen = "127.0.0.1:{admin}"
[log]
access = "off"
"""


def check(larder):
    """Ends the program unless all that is needed is there."""
    if not shutil.which("valgrind"):
        sys.exit("valgrind is missing: apt-get install valgrind")
    if not Path(larder).exists():
        sys.exit(f"{larder} is missing: cargo build --release")


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def difference(larder, name, read, options=()):
    """What `read` finds in callgrind's output, after so many requests and after
    twice as many. What starting and stopping take is in both."""
    origin = Origin()
    results = []
    for requests in (REQUESTS, 2 * REQUESTS):
        with tempfile.TemporaryDirectory() as folder:
            results.append(read(run(larder, name, requests, origin.port, Path(folder), options)))
    return results


def run(larder, name, requests, origin, folder, options):
    """One life of larder; where callgrind has written."""
    port, admin, out = free_port(), free_port(), folder / "callgrind.out"
    config = folder / "larder.toml"
    config.write_text(CONFIG.format(port=port, origin=origin, admin=admin))
    valgrind = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}", *options]
    said = open(folder / "said", "w+")
    larder = subprocess.Popen(
        [*valgrind, larder, "run", "--config", str(config)], stdout=said, stderr=said
    )
    try:
        wait(larder, port)
        ask(KINDS[name], requests, port)
        judge(name, requests, admin)
        larder.send_signal(signal.SIGTERM)
        larder.wait(60)
    finally:
        larder.kill()
        larder.wait()
    if not out.exists():
        said.seek(0)
        sys.exit(f"callgrind has written nothing: {said.read()}")
    return out


def wait(larder, port):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        if larder.poll() is not None:
            sys.exit("larder has ended")
        time.sleep(0.05)
    sys.exit("larder does not listen")


def ask(kind, requests, port):
    """The first answers are let pass: the origin's connection and the store come to be."""
    asker = Asker(port)
    for number in range(WARM + requests):
        status, head, _ = asker.ask(kind.request(number))
        if number >= WARM and not (status == kind.status and kind.outcome in outcome(head)):
            sys.exit(f"this is no answer of the kind {kind}: {head}")


def outcome(head):
    lines = [line for line in head.split("\r\n") if line.startswith("cache-status:")]
    return lines[-1] if lines else ""


def judge(name, requests, admin):
    """Whether the requests have gone the way that they are counted for."""
    asker = Asker(admin)
    _, _, body = asker.ask(b"GET /v1/stats HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    short = json.loads(body)["requests"]["short_way"]
    if (short >= requests) != KINDS[name].short:
        sys.exit(f"{name}: {short} of {requests} requests have gone the short way")


def toolchain():
    """By which compiler, for what."""
    said = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, cwd=ROOT, check=True)
    facts = dict(line.split(": ", 1) for line in said.stdout.splitlines() if ": " in line)
    return f"rustc {facts['release']}, {facts['host']}"


def environment_is_ours():
    """Nothing of the caller's configuration of larder."""
    for name in [name for name in os.environ if name.startswith("LARDER_")]:
        del os.environ[name]
