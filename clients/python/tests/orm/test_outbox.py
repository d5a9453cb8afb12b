"""The outbox: a committed purge survives its process, and one rolled back never was."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.test import override_settings
from django.utils import timezone
from larder_stub import Stub, stub, wait_until
from shelf.models import Author, Tag
from support import Sent, rolled_back

from larder_client import Client, Options, Purge, Sender
from larder_client.django import conf
from larder_client.django.models import PendingPurge
from larder_client.django.orm import outbox, purge_on_commit
from larder_client.django.orm.outbox import Outbox

HERE = Path(__file__).parent


@pytest.fixture
def boxed(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    """An outbox, and nobody who delivers; no test takes so long that rows become due by it."""
    monkeypatch.setattr(outbox, "LEASE", timedelta(hours=1))
    with override_settings(LARDER={"OUTBOX": True}), conf.stand_in(sent):
        yield sent


def rows(alias: str = "default") -> list[PendingPurge]:
    return list(PendingPurge.objects.using(alias).order_by("pk"))


def overdue() -> None:
    """As if the time had passed after which others may deliver."""
    for alias in connections:
        PendingPurge.objects.using(alias).update(due=timezone.now() - timedelta(seconds=1))


def test_the_row_is_written_in_the_transaction(boxed: Sent) -> None:
    with transaction.atomic():
        tag = Tag.objects.create(name="a")
        Author.objects.create(name="b")
        assert rows() == []
    (row,) = rows()
    assert f"shelf.tag:{tag.pk}" in row.document["tags"]
    assert "shelf.author" in row.document["tags"]
    assert Purge.from_json(row.document) == boxed.purges[0]
    assert boxed.keys == [("default", row.pk)]


def test_a_row_that_is_no_purge_stays_and_keeps_nobody_waiting(
    boxed: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    # As a release to come may write it.
    for document in ({"tags": ["a"], "unheard_of": True}, [], {"tags": ["ok"]}):
        PendingPurge.objects.create(document=document, due=timezone.now() - timedelta(hours=1))
    found = [purge.tags for _ in range(3) for _, purge in Outbox().pending(1)]
    assert found == [{"ok"}]
    overdue()
    Outbox().pending(10)
    assert caplog.text.count("is no purge") == 2
    assert len(rows()) == 3


def test_a_rolled_back_one_never_was(boxed: Sent) -> None:
    with rolled_back():
        Tag.objects.create(name="a")
    with transaction.atomic():
        Tag.objects.create(name="b")
        transaction.set_rollback(True)
    with transaction.atomic():
        pass
    assert rows() == []


def test_a_statement_without_a_transaction_has_one_with_its_row(
    boxed: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    Tag.objects.create(name="a")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shelf_tag SET name = 'b'")
    Tag.objects.filter(name="b").delete()
    purge_on_commit("default", purge=Purge(hosts=frozenset({"a"})))
    assert len(rows()) == 4

    # What fails between the two leaves neither.
    def commit() -> None:
        raise IntegrityError("a deferred constraint")

    monkeypatch.setattr(connection, "_commit", commit)
    with pytest.raises(IntegrityError):
        Tag.objects.create(name="c")
    monkeypatch.undo()
    assert len(boxed.purges) == 4
    assert not Tag.objects.filter(name="c").exists()
    assert len(rows()) == 4


def test_each_database_has_its_own(boxed: Sent) -> None:
    with transaction.atomic(using="other"):
        Tag.objects.using("other").create(name="o")
    assert (len(rows()), len(rows("other"))) == (0, 1)
    assert boxed.keys[-1][0] == "other"


def test_a_table_that_is_missing_spoils_no_write(
    boxed: Sent, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PendingPurge._meta, "db_table", "not_there")
    with transaction.atomic():
        Tag.objects.create(name="a")
    Tag.objects.create(name="b")
    assert Tag.objects.count() == 2
    assert len(boxed.purges) == 2
    assert boxed.keys == [None, None]
    assert "run `manage.py migrate --database=default`" in caplog.text


def test_a_purge_by_an_async_view_is_sent(boxed: Sent, caplog: pytest.LogCaptureFixture) -> None:
    async def view() -> None:
        purge_on_commit("default", named=["by-hand"])

    asyncio.run(view())
    assert boxed.tags == {"by-hand"}
    assert "call purge() by sync_to_async" in caplog.text
    assert rows() == []


def test_pending_ones_are_the_oldest_that_are_due(boxed: Sent) -> None:
    for name in "abc":
        Tag.objects.create(name=name)
    Tag.objects.using("other").create(name="o")
    assert Outbox().pending(10) == []
    overdue()
    first = Outbox().pending(2)
    assert [key for key, _ in first] == [("default", row.pk) for row in rows()[:2]]
    # Those are somebody's now.
    rest = Outbox().pending(10)
    assert [key for key, _ in rest] == [("default", rows()[2].pk), ("other", rows("other")[0].pk)]
    assert Outbox().pending(10) == []
    Outbox().done([key for key, _ in [*first, *rest]])
    assert rows() == rows("other") == []
    Outbox().done([("default", 1)])


def test_deliverers_do_not_block_each_other(boxed: Sent) -> None:
    for number in range(40):
        Tag.objects.create(name=str(number))
    overdue()

    def deliver(_: int) -> list[object]:
        try:
            return [key for _ in range(4) for key, _ in Outbox().pending(5)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        taken = [key for keys in pool.map(deliver, range(4)) for key in keys]
    assert set(taken) == {("default", row.pk) for row in rows()}


def test_the_sender_delivers_and_deletes(sent: Sent) -> None:
    with stub() as larder, override_settings(LARDER={"OUTBOX": True, "URL": larder.url}):
        sender = Sender(Client(Options(url=larder.url)), Outbox())
        with conf.stand_in(sender):
            tag = Tag.objects.create(name="a")
            wait_until(lambda: not rows())
        assert larder.tags.count(f"shelf.tag:{tag.pk}") == 1
        # What somebody else has left behind.
        with conf.stand_in(sent):
            Author.objects.create(name="b")
        overdue()
        sender.poll()
        wait_until(lambda: not rows())
        assert "shelf.author" in larder.tags
        assert sender.close()


CHILD = """
import os, sys, threading
import django
django.setup()
from django.db import transaction
from shelf.models import Tag

with transaction.atomic():
    tag = Tag.objects.create(name="survivor")
    print("written", tag.pk, flush=True)
print("committed", flush=True)
threading.Event().wait()
"""


def test_a_process_that_is_killed_after_its_commit_loses_nothing(
    boxed: Sent, tmp_path: Path
) -> None:
    """It has committed, larder is away, and then it is killed: another one delivers."""
    environment = {
        **os.environ,
        "ORM_SITE_FOLDER": str(tmp_path),
        "ORM_SITE_OUTBOX": "1",
        "ORM_SITE_POSTGRES": "",
        "ORM_SITE_LARDER": "http://127.0.0.1:9",
        "PYTHONPATH": os.pathsep.join([str(HERE / "project"), *sys.path]),
        "DJANGO_SETTINGS_MODULE": "orm_site.settings",
    }

    def manage(*arguments: str, **more: str) -> str:
        command = [sys.executable, "-m", "django", *arguments]
        result = subprocess.run(
            command,
            env={**environment, **more},
            text=True,
            stdout=subprocess.PIPE,
            check=True,
            timeout=120,
        )
        return result.stdout

    manage("migrate", "--run-syncdb", "--verbosity=0")
    manage("migrate", "--run-syncdb", "--verbosity=0", "--database=other")
    with stub() as unused:
        # The tables' own rows, made by migrate.
        manage("larder_outbox", "--once", "--all", ORM_SITE_LARDER=unused.url)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], env=environment, text=True, stdout=subprocess.PIPE
    )
    assert child.stdout
    key = child.stdout.readline().split()[1]
    assert child.stdout.readline() == "committed\n"
    child.send_signal(signal.SIGKILL)
    assert child.wait(20) == -signal.SIGKILL
    child.stdout.close()

    assert "default: 1 waiting, the oldest for 0:00:" in manage("larder_outbox")
    with stub() as larder:
        said = manage("larder_outbox", "--once", "--all", ORM_SITE_LARDER=larder.url)
        assert "1 delivered" in said
        assert "default: 0 waiting" in said
        assert f"shelf.tag:{key}" in larder.tags
        # Delivered once, and gone.
        manage("larder_outbox", "--once", "--all", ORM_SITE_LARDER=larder.url)
        assert larder.tags.count(f"shelf.tag:{key}") == 1


def outbox_command(**options: Any) -> str:
    out = StringIO()
    call_command("larder_outbox", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def larder(boxed: Sent) -> Iterator[Stub]:
    with stub() as larder:
        settings = {"OUTBOX": True, "URL": larder.url, "TIMEOUT": 2.0}
        with override_settings(LARDER=settings), conf.stand_in(boxed):
            yield larder


def test_the_command_says_what_waits(larder: Stub) -> None:
    assert outbox_command() == "default: 0 waiting\nother: 0 waiting\n"
    Tag.objects.create(name="a")
    PendingPurge.objects.update(created=timezone.now() - timedelta(hours=26, seconds=5))
    assert "default: 1 waiting, the oldest for 26:00:" in outbox_command()


def test_the_command_delivers(larder: Stub) -> None:
    Tag.objects.create(name="a")
    assert "0 delivered" in outbox_command(once=True)
    assert "1 delivered" in outbox_command(once=True, all=True)
    assert "shelf.tag" in larder.tags
    assert rows() == []


def test_the_command_leaves_what_it_cannot_deliver(larder: Stub) -> None:
    Tag.objects.create(name="a")
    for status, words in [(503, "the rest waits"), (401, "larder refuses a purge")]:
        larder.status = status
        with pytest.raises(CommandError, match=words):
            outbox_command(once=True, all=True)
        assert len(rows()) == 1
    larder.status = 200
    assert "1 delivered" in outbox_command(once=True, all=True)


def test_the_command_watches(larder: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    Tag.objects.create(name="a")
    overdue()
    looks = iter([503, 200, 200])
    larder.status = next(looks)

    def sleep(seconds: float) -> None:
        assert seconds == 0.5
        larder.status = next(looks, 0)
        overdue()
        if not larder.status:
            raise KeyboardInterrupt

    monkeypatch.setattr("larder_client.django.management.commands.larder_outbox.time.sleep", sleep)
    said, errors = StringIO(), StringIO()
    call_command("larder_outbox", watch=True, interval=0.5, stdout=said, stderr=errors)
    assert "1 delivered" in said.getvalue()
    assert "the rest waits" in errors.getvalue()
    assert rows() == []


def test_bad_options_of_the_command(boxed: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="--all goes with --once"):
        outbox_command(all=True)
    with pytest.raises(CommandError, match="--interval"):
        outbox_command(watch=True, interval=0)
    with override_settings(LARDER={"ENABLED": False}), pytest.raises(CommandError, match="ENABLED"):
        outbox_command(once=True)

    def waiting(alias: str) -> None:
        raise DatabaseError("no such table")

    monkeypatch.setattr(outbox, "waiting", waiting)
    with pytest.raises(CommandError, match=r"manage\.py migrate --database=default"):
        outbox_command()


POOL = """
import django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from shelf.models import Tag

pool = ThreadPoolExecutor(2)
for number in range(4):
    pool.submit(Tag.objects.create, name=str(number))
"""


def test_a_thread_pool_that_writes_until_the_end(boxed: Sent, tmp_path: Path) -> None:
    """The interpreter waits for a pool's threads; what they write is purged before it ends."""
    with stub() as larder:
        environment = {
            **os.environ,
            "ORM_SITE_FOLDER": str(tmp_path),
            "ORM_SITE_LARDER": larder.url,
            "ORM_SITE_POSTGRES": "",
            "PYTHONPATH": os.pathsep.join([str(HERE / "project"), *sys.path]),
            "DJANGO_SETTINGS_MODULE": "orm_site.settings",
        }
        for command in (["-m", "django", "migrate", "--run-syncdb", "--verbosity=0"], ["-c", POOL]):
            subprocess.run([sys.executable, *command], env=environment, check=True, timeout=120)
        assert {f"shelf.tag:{key}" for key in range(1, 5)} <= set(larder.tags)
