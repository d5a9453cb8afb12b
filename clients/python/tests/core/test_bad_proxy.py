"""A proxy that is down, slow, or not larder: each call ends in time, and says what to do."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from larder_client import Client, LarderError, Options, Overloaded, Purge, Refused, Unreachable

from .support import Handler, Scripted, answer, purged

A = Purge(tags={"a"})
TIMEOUT = 0.3
# For a machine that has much else to do; what these servers do would take for ever.
SLACK = 3

Serve = Callable[[Handler], Scripted]


def fails(url: str, error: type[LarderError], match: str) -> None:
    """The call fails like this, and in time."""
    begun = time.monotonic()
    with pytest.raises(error, match=match):
        Client(Options(url=url, timeout=TIMEOUT)).purge(A)
    assert time.monotonic() - begun < TIMEOUT + SLACK


def after_the_request(scripted: Serve, pieces: Callable[[], Iterator[bytes]]) -> str:
    """The URL of a server that reads a request and writes these pieces."""

    def handle(connection: socket.socket, _: int) -> None:
        server.read(connection)
        for piece in pieces():
            connection.sendall(piece)

    server = scripted(handle)
    return server.url


def test_nobody_is_there() -> None:
    fails("http://127.0.0.1:1", Unreachable, "can't be reached .Connection refused.: see that it")
    fails("http://no.such.host.invalid:1", Unreachable, "can't be reached|took longer")


def test_it_takes_no_connection() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        fails(f"http://127.0.0.1:{port}", Unreachable, "took longer than 0.3 s")
        for one in waiting:
            one.close()


def test_it_never_answers(scripted: Serve) -> None:
    def handle(connection: socket.socket, _: int) -> None:
        while connection.recv(65536):
            pass

    fails(scripted(handle).url, Unreachable, "took longer than 0.3 s")


def test_it_never_reads(scripted: Serve) -> None:
    def handle(connection: socket.socket, _: int) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        time.sleep(3)

    url = scripted(handle).url
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="took longer"):
        Client(Options(url=url, timeout=TIMEOUT)).purge(
            Purge(tags=[f"{n:0250}" for n in range(9999)])
        )
    # The document is made before the clock runs.
    assert time.monotonic() - begun < TIMEOUT + SLACK


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\nX-", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"],
)
def test_it_drips(scripted: Serve, beginning: bytes) -> None:
    def drip() -> Iterator[bytes]:
        yield beginning
        while True:
            yield b" " if beginning else b"HTTP/1.1 100 Continue\r\n\r\n"
            time.sleep(0.02)

    fails(after_the_request(scripted, drip), Unreachable, "took longer than 0.3 s")


def test_it_never_stops(scripted: Serve) -> None:
    def flood() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            yield b"x" * (1 << 20)

    fails(after_the_request(scripted, flood), LarderError, "longer than")


@pytest.mark.parametrize(
    "status", ["500 Oh", "502 Bad Gateway", "503 Busy", "429 Too many", "408 Late"]
)
def test_it_cannot_now(scripted: Serve, status: str) -> None:
    what = answer({"detail": "the purge did not end"}, status)
    url = after_the_request(scripted, lambda: iter([what]))
    fails(url, Overloaded, f"/v1/purge: {status[:3]}, the purge did not end")


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("401 No", "set the token"),
        ("403 No", "scope covers"),
        ("404 No", "admin port"),
        ("413 No", ""),
    ],
)
def test_it_says_no(scripted: Serve, status: str, advice: str) -> None:
    url = after_the_request(scripted, lambda: iter([answer(b"<h1>no</h1>", status)]))
    fails(url, Refused, f"status {status[:3]}.*{advice}")


@pytest.mark.parametrize(
    "what",
    [
        answer(b"<html>Welcome</html>"),
        answer(b"[" * 100_000),
        answer([]),
        answer({}),
        answer({"number": 1, "purged": 0, "soft": False}),
        answer({"number": 1, "purged": 0, "soft": False, "tags": [{"purged": "many"}]}),
        answer({"number": 1, "purged": 0, "soft": False, "tags": 7}),
        answer(b'{"number": 1, "purged": Infinity, "soft": false, "tags": []}'),
        answer({}, "204 No Content"),
        answer({}, "301 Moved", "Location: /\r\n"),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\xff" * 100,
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_it_talks_nonsense(scripted: Serve, what: bytes) -> None:
    fails(after_the_request(scripted, lambda: iter([what])), Overloaded, "admin port")


@pytest.mark.parametrize(
    "what", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"]
)
def test_it_breaks_off(scripted: Serve, what: bytes) -> None:
    fails(
        after_the_request(scripted, lambda: iter([what])),
        LarderError,
        "can't be reached|HTTP|document",
    )


def test_a_kept_connection_that_it_has_closed_is_opened_again(scripted: Serve) -> None:
    def handle(connection: socket.socket, _: int) -> None:
        document = server.read(connection)
        assert document is not None
        connection.sendall(purged(document))

    server = scripted(handle)
    client = Client(Options(url=server.url, timeout=10))
    for _ in range(3):
        assert client.purge(A).number == 1
    assert server.connections == 3


def test_a_connection_is_kept(good: Scripted) -> None:
    client = Client(Options(url=good.url, timeout=10))
    for _ in range(3):
        client.purge(A)
    assert good.connections == 1
    client.close()
    client.purge(A)
    assert good.connections == 2


def test_an_answer_that_ends_with_its_connection(scripted: Serve) -> None:
    def handle(connection: socket.socket, _: int) -> None:
        server.read(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        time.sleep(0.05)
        connection.sendall(b'{"number": 7, "purged": 0, "soft": false, "tags": [{"purged": 0}]}')

    server = scripted(handle)
    client = Client(Options(url=server.url, timeout=10))
    assert [client.purge(A).number for _ in range(2)] == [7, 7]


def test_after_a_failure_nothing_of_it_is_left(scripted: Serve) -> None:
    """What came too late is not taken for the answer to what is asked next."""
    late = threading.Event()

    def handle(connection: socket.socket, before: int) -> None:
        while (document := server.read(connection)) is not None:
            if before == 0:
                late.wait(10)
            connection.sendall(purged(document))

    server = scripted(handle)
    client = Client(Options(url=server.url, timeout=1))
    with pytest.raises(Unreachable):
        client.purge(A)
    late.set()
    assert client.purge(Purge(tags={"b", "c"})).counts == {"tags": {"b": 0, "c": 0}}


def test_the_port_of_visitors_is_not_the_admin_port(larder: Callable[..., object]) -> None:
    proxy = larder("127.0.0.1:1", origin={"hold": "0s"})
    with pytest.raises(LarderError):
        Client(Options(url=proxy.url)).ping()  # type: ignore[attr-defined]
