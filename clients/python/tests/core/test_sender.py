"""The background: nothing of it holds a request up, or fails one."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import pytest

from larder_client import Client, Options, Purge, Sender
from larder_client.testing import assert_hit, assert_miss, assert_purged
from larder_client.testing.waiting import wait_until

from .support import Handler, Scripted, answer, page, purged, site

Serve = Callable[[Handler], Scripted]
A = Purge(tags={"a"})


@pytest.fixture
def senders() -> Iterator[Callable[..., Sender]]:
    """Makes senders that end with the test."""
    made: list[Sender] = []

    def make(url: str, outbox: Any = None, **options: Any) -> Sender:
        made.append(Sender(Client(Options(url=url, **{"timeout": 10, **options})), outbox))
        return made[-1]

    yield make
    for sender in made:
        sender.close(0)


class Table:
    """An outbox in memory."""

    def __init__(self, **rows: Purge) -> None:
        self.rows: dict[object, Purge] = dict(rows)
        self.failing = False

    def pending(self, limit: int) -> Sequence[tuple[object, Purge]]:
        if self.failing:
            raise RuntimeError("no such table: larder_outbox")
        return list(self.rows.items())[:limit]

    def done(self, keys: Collection[object]) -> None:
        if self.failing:
            raise RuntimeError("no such table: larder_outbox")
        for key in keys:
            self.rows.pop(key, None)


def tags(server: Scripted) -> list[list[str]]:
    return [sorted(document.get("tags", [])) for document in server.documents]


def somebody_waits(sender: Sender) -> None:
    """Returns once `flush` has begun: nobody else waits while the sender has something to do."""
    waiters = sender._changed._waiters  # type: ignore[attr-defined]
    wait_until("somebody waits for it", lambda: bool(waiters))


def failing(
    scripted: Serve,
    times: int,
    what: bytes = answer({}, "500 Oh"),
    before: Callable[[], None] = lambda: None,
) -> Scripted:
    """A server that fails so often, and is good then. `before` is called before it fails."""

    def handle(connection: socket.socket, _: int) -> None:
        while (document := server.read(connection)) is not None:
            good = len(server.documents) > times
            if not good:
                before()
            connection.sendall(purged(document) if good else what)

    server = scripted(handle)
    return server


def test_it_delivers(larder: Any, senders: Callable[..., Sender]) -> None:
    proxy = larder(site(Options()))
    sender = senders(proxy.admin)
    with assert_purged(proxy, page("a")):
        sender.send(A)
    assert_miss(proxy.get(page("a")))
    sender.send(A)
    assert sender.flush()
    assert_miss(proxy.get(page("a")))
    assert_hit(proxy.get(page("a")))


def test_sending_does_not_wait(scripted: Serve, senders: Callable[..., Sender]) -> None:
    release = threading.Event()

    def handle(connection: socket.socket, _: int) -> None:
        while (document := server.read(connection)) is not None:
            release.wait(10)
            connection.sendall(purged(document))

    server = scripted(handle)
    sender = senders(server.url, timeout=10)
    sender.send(A)
    wait_until("the first is on its way", lambda: bool(server.documents))
    begun = time.monotonic()
    for number in range(1000):
        sender.send(Purge(tags={f"b:{number % 10}", "list"}))
    assert time.monotonic() - begun < 1
    release.set()
    assert sender.flush()
    # What came meanwhile went together, each tag once.
    assert tags(server) == [["a"], [*(f"b:{number}" for number in range(10)), "list"]]


def test_what_is_sent_while_the_same_is_on_its_way_is_sent_again(
    scripted: Serve, senders: Callable[..., Sender]
) -> None:
    release = threading.Event()

    def handle(connection: socket.socket, _: int) -> None:
        while (document := server.read(connection)) is not None:
            release.wait(10)
            connection.sendall(purged(document))

    server = scripted(handle)
    sender = senders(server.url, timeout=10)
    sender.send(A)
    wait_until("the first is on its way", lambda: bool(server.documents))
    sender.send(A)
    release.set()
    assert sender.flush()
    assert tags(server) == [["a"], ["a"]]


def test_it_tries_again(scripted: Serve, senders: Callable[..., Sender]) -> None:
    server = failing(scripted, 2)
    sender = senders(server.url)
    sender.send(A)
    assert sender.flush(10)
    assert tags(server) == [["a"]] * 3


def test_only_what_is_left_of_many_is_tried_again(
    scripted: Serve, senders: Callable[..., Sender]
) -> None:
    def handle(connection: socket.socket, before: int) -> None:
        while (document := server.read(connection)) is not None:
            fails = len(server.documents) == 2
            connection.sendall(answer({}, "503 Busy") if fails else purged(document))

    server = scripted(handle)
    sender = senders(server.url, queue=100_000)
    sender.send(Purge(tags=[f"{number:05}" for number in range(25_000)]))
    assert sender.flush(10)
    assert [len(document["tags"]) for document in server.documents] == [10_000] * 3 + [5_000]
    assert len({tag for document in server.documents for tag in document["tags"]}) == 25_000


def test_it_gives_up_and_says_what_is_lost(
    scripted: Serve, senders: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    server = failing(scripted, 1000)
    sender = senders(server.url, attempts=3)
    sender.send(A)
    assert not sender.flush(10)
    assert tags(server) == [["a"]] * 3
    assert "a purge (tags 'a') is lost" in caplog.text
    assert "`larder purge --all --soft`" in caplog.text


def test_a_wrong_token_is_said_once_and_not_tried_again(
    larder: Any, senders: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    proxy = larder(site(Options()), admin={"token": "secret"})
    sender = senders(proxy.admin, token="other")
    for number in range(20):
        sender.send(Purge(tags={f"a:{number}"}))
        sender.flush()
    said = [one.getMessage() for one in caplog.records]
    assert len(said) <= 3
    assert "set the token to one of larder's" in said[0]


def test_one_wrong_url_does_not_spoil_the_others(
    larder: Any, senders: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    proxy = larder(site(Options()))
    sender = senders(proxy.admin)
    with assert_purged(proxy, page("a")):
        wrong = [f"/{number}" for number in range(50)]
        sender.send(Purge(tags={"a"}, urls=[*wrong, "http://x.test/"]))
        assert sender.flush()
    assert "'/0' is left out of a purge, since larder can't read it" in caplog.text
    assert proxy.client.purges()[0]["selectors"] == {"tags": ["a"], "urls": ["http://x.test/"]}


def test_the_queue_has_a_bound(
    senders: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    sender = senders("http://127.0.0.1:1", queue=10, attempts=1000)
    for number in range(100):
        sender.send(Purge(tags={f"a:{number}"}))
    assert len(sender._waiting) <= 10
    assert "more selectors wait than the queue takes: is larder down?" in caplog.text


def test_fifty_threads(good: Scripted, senders: Callable[..., Sender]) -> None:
    sender = senders(good.url)

    def work(number: int) -> None:
        for turn in range(20):
            sender.send(Purge(tags={f"{number}:{turn}", "list"}))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sender.flush(20)
    assert good.connections == 1
    sent = {tag for document in good.documents for tag in document["tags"]}
    assert sent == {f"{n}:{t}" for n in range(50) for t in range(20)} | {"list"}


def test_nothing_is_sent_if_it_is_off(senders: Callable[..., Sender]) -> None:
    sender = senders("http://127.0.0.1:1", enabled=False)
    sender.send(A)
    assert sender.flush()
    assert sender._thread is None


def test_it_goes_on_after_it_was_closed(good: Scripted, senders: Callable[..., Sender]) -> None:
    sender = senders(good.url)
    for number in range(20):
        sender.send(Purge(tags={str(number)}))
        assert sender.close()
    assert tags(good) == [[str(number)] for number in range(20)]


def test_closing_has_a_bound(scripted: Serve, senders: Callable[..., Sender]) -> None:
    def handle(connection: socket.socket, _: int) -> None:
        while connection.recv(65536):
            pass

    sender = senders(scripted(handle).url, timeout=5)
    sender.send(A)
    begun = time.monotonic()
    assert not sender.close(0.2)
    assert time.monotonic() - begun < 1


def test_an_outbox_is_delivered_at_the_start(
    good: Scripted, senders: Callable[..., Sender]
) -> None:
    table = Table(one=A, two=Purge(tags={"b"}), soft=Purge(tags={"c"}, soft=True))
    sender = senders(good.url, table)
    sender.start()
    assert sender.flush()
    assert tags(good) == [["a", "b"], ["c"]]
    assert not table.rows


def test_more_rows_than_are_taken_at_a_time(
    good: Scripted, senders: Callable[..., Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sender, "ROWS", 10)
    table = Table(**{f"r{number}": Purge(tags={f"{number:02}"}) for number in range(35)})
    sender = senders(good.url, table)
    sender.start()
    assert sender.flush()
    assert [len(one) for one in tags(good)] == [10, 10, 10, 5]
    assert not table.rows


def test_a_row_stays_until_it_is_delivered(
    scripted: Serve, senders: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    server = failing(scripted, 2, before=lambda: somebody_waits(sender))
    table = Table()
    sender = senders(server.url, table, attempts=2)
    sender.flush()
    table.rows["1"] = A
    sender.send(A, key="1")
    assert not sender.flush(10)
    assert table.rows == {"1": A}
    assert "is left in the outbox, and is tried again from there later" in caplog.text
    assert "is lost" not in caplog.text
    sender.poll()
    assert sender.flush()
    assert tags(server) == [["a"]] * 3
    assert not table.rows


def test_with_a_wrong_token_rows_stay(scripted: Serve, senders: Callable[..., Sender]) -> None:
    server = failing(scripted, 1, answer({}, "401 No"), before=lambda: somebody_waits(sender))
    table = Table(one=A)
    sender = senders(server.url, table)
    sender.start()
    assert not sender.flush()
    assert table.rows
    sender.poll()
    assert sender.flush()
    assert not table.rows


def for_tags_alone(larder: Any) -> Any:
    """A proxy with a token that may purge by tag, and nothing else."""
    token = {"name": "app", "token": TOKEN, "scope": "tags"}
    return larder(site(Options()), admin={"token": "may-do-all-there-is", "tokens": [token]})


TOKEN = "may-purge-tags-and-no-more"


def test_what_a_token_may_not_purge_takes_no_tags_along(
    larder: Any, senders: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    proxy = for_tags_alone(larder)
    sender = senders(proxy.admin, token=TOKEN)
    assert_miss(proxy.get(page("a")))
    with assert_purged(proxy, page("a"), page("b")):
        sender.send(Purge(tags={"a"}, urls={"http://x.test/"}))
        sender.send(Purge(hosts={"y.test"}))
        sender.send(Purge(tags={"b"}))
        assert not sender.flush()
    # Together or one after the other; nothing is lost but these.
    assert "a purge (urls 'http://x.test/'" in caplog.text
    assert "tags '" not in caplog.text
    assert "may only purge tags" in caplog.text


def test_nor_does_it_keep_other_rows_in_the_outbox(
    larder: Any, senders: Callable[..., Sender]
) -> None:
    proxy = for_tags_alone(larder)
    table = Table(one=Purge(urls={"http://x.test/"}), two=A, three=Purge(tags={"b"}))
    sender = senders(proxy.admin, table, token=TOKEN)
    with assert_purged(proxy, page("a"), page("b")):
        sender.start()
    wait_until("the others are delivered", lambda: list(table.rows) == ["one"])


def test_an_outbox_that_fails_fails_nobody(
    good: Scripted, senders: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    table = Table(one=A)
    table.failing = True
    sender = senders(good.url, table)
    sender.send(Purge(tags={"b"}), key="two")
    assert sender.flush()
    assert tags(good) == [["b"]]
    wait_until("it says so", lambda: "outbox" in caplog.text)
    assert "RuntimeError: no such table: larder_outbox" in caplog.text
    table.failing = False
    sender.poll()
    assert sender.flush()
    assert tags(good) == [["b"], ["a"]]


def test_an_error_of_its_own_does_not_end_it(
    good: Scripted,
    senders: Callable[..., Sender],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sender = senders(good.url)
    with monkeypatch.context() as broken:
        broken.setattr(sender.client, "purge", lambda purge: 1 / 0)
        sender.send(A)
        sender.flush()
    assert "ZeroDivisionError" in caplog.text
    sender.send(A)
    assert sender.flush()
    assert tags(good) == [["a"]]
    assert caplog.records[0].levelno == logging.ERROR
