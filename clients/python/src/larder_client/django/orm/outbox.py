"""Purges in a table of the database that they are about, so that none is lost.

A row is written in the transaction that makes the purge necessary (`pending.commit`): both are
there, or neither. The process that has written it sends the purge and deletes the row. If it
dies before that, another one's sender finds the row, or `manage.py larder_outbox`.

A row is due some seconds after it was written, and again some seconds after somebody took it:
until then that somebody is believed to be at it. Two that deliver the same row do no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import DatabaseError, connections, router, transaction
from django.utils import timezone

from larder_client import Purge

from ..models import PendingPurge
from .state import quietly

logger = logging.getLogger("larder_client")

#: How long a row is left to whoever has written or taken it.
LEASE = timedelta(seconds=10)


def write(purges: Sequence[Purge], connection: Any) -> list[object]:
    """Writes purges within the transaction of a connection; gives their keys.

    If that fails the transaction goes on, and there are no keys: the purge then depends on this
    process alone, which the log says.
    """
    keys: list[object] = []
    with quietly(connection):
        savepoint = connection.savepoint() if not connection.get_autocommit() else None
        try:
            for purge in purges:
                row = PendingPurge(document=purge.to_json(), due=timezone.now() + LEASE)
                row.save(using=connection.alias, force_insert=True)
                keys.append((connection.alias, row.pk))
            if savepoint:
                connection.savepoint_commit(savepoint)
        except DatabaseError as error:
            if savepoint:
                connection.savepoint_rollback(savepoint)
            _say_that_it_fails(connection.alias, error)
            return []
    _failing.discard(connection.alias)
    return keys


#: The databases whose outbox can't be written to, so that it is said once: the first `migrate`
#: of a site writes many rows before the table is there.
_failing: set[str] = set()


def _say_that_it_fails(alias: str, error: DatabaseError) -> None:
    if alias not in _failing:
        _failing.add(alias)
        logger.error(
            "Purges can't be written to the outbox of the database %r (%s): run `manage.py migrate "
            "--database=%s`. They are sent all the same, but would be lost with this process.",
            *(alias, error, alias),
        )


class Outbox:
    """`larder_client.Outbox` over the tables of all databases that have one."""

    def pending(self, limit: int) -> Sequence[tuple[object, Purge]]:
        """The rows that have been due for longest, at most `limit`; they are left alone by others
        for a while.

        One that can't be read stays, for a newer release may have written it: the log says so
        once, and others come before it.
        """
        found: list[tuple[object, Purge]] = []
        for alias in aliases():
            with _own_connection(alias):
                for row in _take(alias, limit - len(found)):
                    purge = _read(row, alias)
                    if purge is not None:
                        found.append(((alias, row.pk), purge))
        return found

    def done(self, keys: Collection[object]) -> None:
        """Deletes rows that are delivered."""
        by_alias: dict[str, list[object]] = {}
        for key in keys:
            alias, number = cast("tuple[str, object]", key)  # as `write` has given it
            by_alias.setdefault(alias, []).append(number)
        for alias, some in by_alias.items():
            with _own_connection(alias):
                PendingPurge.objects.using(alias).filter(pk__in=some).delete()


def aliases() -> list[str]:
    """The databases that may have the table."""
    return [alias for alias in connections if router.allow_migrate_model(alias, PendingPurge)]


def waiting(alias: str) -> tuple[int, datetime | None]:
    """How many rows a database has, and since when the oldest waits."""
    rows = PendingPurge.objects.using(alias)
    oldest = rows.order_by("created").values_list("created", flat=True).first()
    return rows.count(), oldest


@contextmanager
def _own_connection(alias: str) -> Iterator[None]:
    """Nothing of this is recorded or purged; a connection is left as it was, open or not."""
    connection = connections[alias]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    was_open = connection.connection is not None
    try:
        with quietly(connection):
            yield
    finally:
        if not was_open:
            connection.close()


def _take(alias: str, limit: int) -> list[PendingPurge]:
    if limit <= 0:
        return []
    now = timezone.now()
    rows = PendingPurge.objects.using(alias)
    due = rows.filter(due__lte=now).order_by("due", "pk")
    if connections[alias].features.has_select_for_update_skip_locked:
        with transaction.atomic(using=alias):
            taken = list(due.select_for_update(skip_locked=True)[:limit])
            rows.filter(pk__in=[row.pk for row in taken]).update(due=now + LEASE)
    else:
        # Two may take the same row, and nobody waits for anybody.
        taken = list(due[:limit])
        rows.filter(pk__in=[row.pk for row in taken]).update(due=now + LEASE)
    return taken


def _read(row: PendingPurge, alias: str) -> Purge | None:
    try:
        return Purge.from_json(row.document)
    except ValueError as error:
        if (alias, row.pk) not in _unreadable:
            _unreadable.add((alias, row.pk))
            logger.error(
                "Row %s of the outbox of %r is no purge (%s), and stays there: %.200s",
                *(row.pk, alias, error, row.document),
            )
        return None


#: The rows of which it has been said.
_unreadable: set[tuple[str, object]] = set()
