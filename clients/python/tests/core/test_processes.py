"""The background across forks, and at the end of a process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from larder_client import Options, Purge
from larder_client.testing.waiting import wait_until

from .support import Handler, Scripted, site

BEGINNING = """
import os, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from larder_client import Client, Options, Purge, Sender
sender = Sender(Client(Options(url=sys.argv[1], timeout=5)))
def send(tag): sender.send(Purge(tags={tag}))
"""


def run(program: str, url: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Runs a program that has a sender, to its end."""
    code = BEGINNING + textwrap.dedent(program)
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, url],
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def tags(server: Scripted) -> list[str]:
    return sorted(tag for document in server.documents for tag in document["tags"])


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("send('a')", ["a"]),
        ("send('a'); sys.exit(3)", ["a"]),
        ("send('a'); raise RuntimeError", ["a"]),
        # Threads of a pool go on until they have nothing to do, after the main thread has ended.
        (
            """
            pool = ThreadPoolExecutor(4)
            for number in range(8):
                pool.submit(lambda tag: (time.sleep(0.1), send(tag)), str(number))
            """,
            list("01234567"),
        ),
        # Registered before the sender's own, so called after it: no thread starts any more.
        (
            """
            import atexit, larder_client.process as module
            atexit.unregister(module._end)
            atexit.register(send, 'late')
            atexit.register(module._end)
            send('a')
            """,
            ["a", "late"],
        ),
    ],
)
def test_what_waits_at_the_end_is_delivered(
    good: Scripted, program: str, expected: list[str]
) -> None:
    ended = run(program, good.url)
    assert tags(good) == expected, ended.stderr


def test_the_end_does_not_wait_for_a_proxy_that_is_silent(
    scripted: Callable[[Handler], Scripted],
) -> None:
    def handle(connection: Any, _: int) -> None:
        while connection.recv(65536):
            pass

    begun = time.monotonic()
    ended = run("send('a')\nfor n in range(9): send(str(n))", scripted(handle).url)
    assert time.monotonic() - begun < 10
    assert "is lost" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_child_has_a_thread_and_a_connection_of_its_own(good: Scripted) -> None:
    ended = run(
        """
        send('parent')
        assert sender.flush()
        children = []
        for number in range(3):
            if (pid := os.fork()) == 0:
                send(f'child:{number}')
                assert sender.flush()
                os._exit(0)
            children.append(pid)
        send('parent again')
        assert sender.flush()
        for pid in children:
            assert os.waitpid(pid, 0)[1] == 0
        """,
        good.url,
    )
    assert ended.returncode == 0, ended.stderr
    assert tags(good) == ["child:0", "child:1", "child:2", "parent", "parent%20again"]
    assert good.connections == 4


def test_what_waits_in_the_parent_is_not_delivered_by_the_child_too(good: Scripted) -> None:
    ended = run(
        """
        lock = sender._changed
        with lock:
            # It is locked, as by another thread, and something waits.
            from larder_client.waiting import Parcel
            sender._waiting.add(Parcel(Purge(tags={'parent'})))
            if os.fork() == 0:
                send('child')
                os._exit(0 if sender.flush() else 1)
        sender.start()
        assert sender.flush()
        assert os.wait()[1] == 0
        """,
        good.url,
    )
    assert ended.returncode == 0, ended.stderr
    assert tags(good) == ["child", "parent"]


def test_a_child_is_not_made_while_a_call_holds_locks(good: Scripted) -> None:
    """As the lock of a module that is being imported, which nobody would release in the child."""
    ended = run(
        """
        lock, call = threading.Lock(), sender.client.purge
        def slowly(batch):
            with lock:
                time.sleep(0.3)
                return call(batch)
        sender.client.purge = slowly
        send('parent')
        while not lock.locked():
            time.sleep(0.001)
        if os.fork() == 0:
            send('child')
            os._exit(0 if sender.flush(3) else 1)
        assert os.wait()[1] == 0
        assert sender.flush()
        """,
        good.url,
    )
    assert ended.returncode == 0, ended.stderr
    assert tags(good) == ["child", "parent"]


GUNICORN = """
import os, sys
sys.path.insert(0, {tests!r})
from larder_client import Client, Options, Purge, Sender
sender = Sender(Client(Options(url={admin!r})))
sender.send(Purge(tags={{"preload"}}))

def application(environ, start_response):
    body = str(os.getpid()).encode()
    if environ["PATH_INFO"] == "/purge":
        sender.send(Purge(tags={{"page"}}))
    start_response("200 OK", [("Cache-Tag", "page"), ("Cache-Control", "max-age=60")])
    return [body]
"""


def test_locks_are_those_of_whoever_waits_first(good: Scripted) -> None:
    # `gunicorn --preload -k gevent`: it forks, and replaces the locks of `threading` then. A
    # sender with those from before would stop all of the process, once its thread waits.
    program = """
        kinds = []
        def instead(kind):
            return lambda *args: (kinds.append(kind.__name__), kind(*args))[1]
        child = os.fork() == 0
        if child:
            threading.Condition = instead(threading.Condition)
            threading.RLock = instead(threading.RLock)
            send("child")
            sender.close()
            print(sorted({*kinds} & {"Condition", "RLock"}), flush=True)
            os._exit(0)
        os.wait()
        """
    ended = run(program, good.url)
    assert ended.stdout.strip() == "['Condition', 'RLock']", ended.stderr
    assert tags(good) == ["child"]


def test_under_gunicorn_with_preload(larder: Any, tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    admin = larder(site(Options()))
    module = tmp_path / "preloaded.py"
    module.write_text(GUNICORN.format(tests=str(tmp_path), admin=admin.admin))
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "2", "--chdir"]
    command += [str(tmp_path), "--bind", "127.0.0.1:{port}", "preloaded:application"]
    proxy = larder(command)
    wait_until("the master's purge is there", lambda: len(admin.client.purges()) == 1)
    asked = 0

    def both_have() -> bool:
        nonlocal asked
        asked += 1
        workers.add(proxy.get(f"/purge?{asked}").text)
        return len(workers) == 2

    workers: set[str] = set()
    wait_until("both workers have sent", both_have)
    assert str(os.getpid()) not in workers
    wait_until("theirs are there", lambda: len(admin.client.purges()) >= 3)
    assert admin.client.purge(Purge(tags={"page"})).number >= 4
