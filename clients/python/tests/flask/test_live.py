"""The shop of `examples/flask-shop`: gunicorn, SQLite, and the real larder before it."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

pytest.importorskip("flask_sqlalchemy")
pytest.importorskip("flask_login")
pytest.importorskip("gunicorn")

from larder_client.testing import (
    Larder,
    Response,
    assert_hit,
    assert_miss,
    assert_not_shared,
    assert_purged,
)

SHOP = Path(__file__).parents[4] / "examples" / "flask-shop"
#: How long is waited for what has to come.
DEADLINE = 60.0


def wait_until(what: str, is_so: Callable[[], object]) -> None:
    until = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < until, f"not within {DEADLINE} s: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Gate:
    """A way to the admin port that can be shut: a relay on a port of its own."""

    def __init__(self, to: str) -> None:
        self._to = (str(urlsplit(to).hostname), int(urlsplit(to).port or 0))
        self.port = free_port()
        self._listening: socket.socket | None = None
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(self._listening,), daemon=True).start()

    def shut(self) -> None:
        if self._listening is not None:
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._listening, self._open = None, []

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
                far = socket.create_connection(self._to)
            except OSError:
                return
            self._open += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=_copy, args=pair, daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


class Site:
    """larder, and gunicorn with the shop behind it."""

    def __init__(self, folder: Path, proxy: Larder, port: int) -> None:
        self.proxy, self.port = proxy, port
        self.database = folder / "shop.sqlite3"
        self.gate = Gate(proxy.admin)
        self.gate.open()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("LARDER")}
        return {
            **own,
            "FLASK_APP": "shop",
            "FLASK_SQLALCHEMY_DATABASE_URI": f"sqlite:///{self.database}",
            "FLASK_LARDER_URL": self.gate.url,
            "FLASK_LARDER_SITE": self.proxy.url,
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def flask(self, *args: str) -> str:
        command = [sys.executable, "-m", "flask", *args]
        done = subprocess.run(
            command,
            cwd=SHOP,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def python(self, code: str) -> None:
        """Runs some lines in a process of its own, in the shop's context."""
        before = (
            "from shop import create_app\nfrom shop.models import *\n"
            "from sqlalchemy import text\ncreate_app().app_context().push()\n"
        )
        subprocess.run(
            [sys.executable, "-c", before + code], cwd=SHOP, env=self.environment, check=True
        )

    def serve(self) -> None:
        options = ["--workers", "2", "--threads", "8", "--bind", f"127.0.0.1:{self.port}"]
        self._server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                "--no-control-socket",
                *options,
                "shop:create_app()",
            ],
            cwd=SHOP,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until("gunicorn listens", lambda: self._listens())

    def _listens(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def kill(self) -> None:
        """`kill -9`, of all its processes at once."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def past_larder(self, path: str, form: Mapping[str, str]) -> int:
        """A POST that larder doesn't see, as from another host or an office's network."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        with contextlib.closing(connection):
            fields = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, urlencode(form), fields)
            return connection.getresponse().status

    def waiting(self) -> int:
        """Rows in the outbox."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            return int(connection.execute("SELECT count(*) FROM larder_outbox").fetchone()[0])

    def purges(self) -> int:
        return int(self.proxy.client.stats()["purges"])  # type: ignore[call-overload]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    port = free_port()
    with Larder.start(f"127.0.0.1:{port}", toml_file=SHOP / "larder.toml") as proxy:
        shop = Site(tmp_path, proxy, port)
        try:
            shop.flask("fill")
            wait_until("what fill has changed is purged", lambda: shop.waiting() == 0)
            shop.serve()
            yield shop
        finally:
            shop.kill()
            shop.gate.shut()


def log_in(site: Site) -> dict[str, str]:
    answer = site.proxy.post("/login", {"name": "alice", "password": "secret"})
    assert answer.status == 303
    found = re.match(r"session=([^;]+)", answer.headers["Set-Cookie"])
    assert found is not None
    return {"session": found[1]}


def test_an_edit_is_seen_by_the_next_reader(site: Site) -> None:
    alice = log_in(site)
    for path in ("/", "/products/1", "/products/2"):
        assert_miss(site.proxy.get(path))
        assert_hit(site.proxy.get(path))
    form = {"name": "Gyokuro", "cents": "1290"}
    answer = site.proxy.post("/products/1/edit", form, cookies=alice)
    assert (answer.status, answer.headers["Location"]) == (303, "/products/1")
    assert "Gyokuro" in site.proxy.get("/products/1", cookies=alice).text
    for path in ("/", "/products/1"):
        assert "Gyokuro" in site.proxy.get(path).text
    assert_hit(site.proxy.get("/products/2"))
    with assert_purged(site.proxy, "/products/2"):
        site.proxy.post("/products/2/reviews", {"text": "Malty."})


def test_a_page_that_was_not_there_is_seen_once_it_is(site: Site) -> None:
    assert site.proxy.get("/products/99").status == 404
    assert_hit(site.proxy.get("/products/99"))
    site.python("db.session.add(Product(id=99, name='Chai', cents=1)); db.session.commit()")
    wait_until("the new product is there", lambda: site.proxy.get("/products/99").status == 200)


def test_no_visitor_sees_what_is_anothers(site: Site) -> None:
    alice = log_in(site)
    assert "alice" in site.proxy.get("/", cookies=alice).text
    assert "alice" not in site.proxy.get("/").text
    assert_not_shared(site.proxy, "/account", alice, {"session": "x"})


def test_what_no_page_shows_purges_nothing(site: Site) -> None:
    site.proxy.get("/products/1")
    # Its own URL is forgotten, as after any POST (RFC 9111 section 4.4).
    assert site.proxy.post("/products/1/viewed").status == 204
    before = site.purges()
    site.python("db.session.execute(text('UPDATE product SET cents = 1')); db.session.rollback()")
    site.python("db.session.add(Product(name='x', cents=1)); db.session.flush()")
    assert site.waiting() == 0
    assert site.purges() == before
    assert_hit(site.proxy.get("/products/1"))


def test_fifty_readers_never_see_an_older_page(site: Site) -> None:
    alice = log_in(site)
    answered = 0  # the last edit whose answer has come
    stop = threading.Event()
    wrong: list[str] = []
    numbers: list[int] = []

    def read() -> None:
        seen = 0
        while not stop.is_set():
            at_least = answered
            page = site.proxy.get("/products/1").text
            found = re.search(r"<h1>version (\d+)</h1>", page)
            version = int(found[1]) if found else 0
            if version < at_least:
                wrong.append(f"version {version} after the answer to edit {at_least}")
            seen += 1
        numbers.append(seen)

    readers = [threading.Thread(target=read) for _ in range(50)]
    for reader in readers:
        reader.start()
    try:
        for version in range(1, 11):
            form = {"name": f"version {version}"}
            answer = site.proxy.post("/products/1/edit", form, cookies=alice)
            assert answer.status == 303
            answered = version
            assert f"version {version}" in site.proxy.get("/products/1").text
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert sum(numbers) > 200


def test_the_outbox_delivers_once_the_way_is_open_again(site: Site) -> None:
    site.proxy.get("/products/1")
    site.gate.shut()
    for text in ("One.", "Two."):
        assert site.past_larder("/products/1/reviews", {"text": text}) == 303
    assert "Two." not in site.proxy.get("/products/1").text, "nobody has told larder"
    assert site.waiting() == 2
    site.gate.open()
    wait_until("readers see it", lambda: "Two." in site.proxy.get("/products/1").text)
    wait_until("the outbox is empty", lambda: site.waiting() == 0)


def test_a_purge_outlives_kill_9(site: Site) -> None:
    site.proxy.get("/products/1")
    site.gate.shut()
    written = time.time()
    assert site.past_larder("/products/1/reviews", {"text": "Survives."}) == 303
    site.kill()
    assert site.waiting() == 1
    site.gate.open()
    # Younger rows are left to the process that has written them.
    wait_until("the row is not young any more", lambda: time.time() > written + 7)
    assert "Survives." not in site.proxy.get("/products/1").text
    site.serve()
    site.proxy.get("/account")  # any request
    wait_until("readers see it", lambda: "Survives." in site.proxy.get("/products/1").text)
    wait_until("the outbox is empty", lambda: site.waiting() == 0)


def test_the_outbox_by_hand(site: Site) -> None:
    site.proxy.get("/products/1")
    site.gate.shut()
    site.past_larder("/products/1/reviews", {"text": "By hand."})
    site.kill()
    assert site.flask("larder", "outbox") == "1 purge waits\n"
    site.gate.open()
    assert site.flask("larder", "outbox", "--deliver") == "1 of 1 purges delivered\n"
    site.serve()
    assert "By hand." in site.proxy.get("/products/1").text


def test_the_commands(site: Site) -> None:
    assert "is larder, and takes the token" in site.flask("larder", "ping")
    assert "stored" in site.flask("larder", "warm", "/", "/products/1", "/products/2")
    assert "3 responses forgotten" in site.flask("larder", "purge", "--all")
    found: Response = site.proxy.get("/")
    assert_miss(found)
    said = site.flask("larder", "doctor", "/", "/products/1", "/account")
    assert "kept, fresh for another" in said
    assert "0 purges wait" in said
