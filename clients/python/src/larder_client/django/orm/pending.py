"""What a transaction has changed: kept until it commits, and purged then.

The purge hangs in the connection's own list of things to do on commit. So what is rolled back,
a savepoint or all of it, takes its part of the purge along.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce
from operator import or_
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db import InterfaceError, OperationalError, connections, transaction

from larder_client import Purge

from .. import conf
from . import names

logger = logging.getLogger("larder_client")

#: With more tags of rows than this, a transaction purges all rows of their models.
MOST_TAGS = 5_000

#: Where the purges of the request that is being answered are noted once they are committed.
_noted: ContextVar[list[Purge] | None] = ContextVar("larder_client_committed", default=None)


class Pending:
    """The purges of one transaction, or of one savepoint in it, until it commits."""

    def __init__(self, using: str) -> None:
        self.using = using
        #: What the writes have made stale: tags of models, rows and lists.
        self.tags: set[str] = set()
        #: Tags that the site has registered for rows.
        self.named: set[str] = set()
        #: What the site has asked for by hand.
        self.others: list[Purge] = []
        #: The rows of the outbox, one for each of `purges`; empty without an outbox.
        self.keys: list[object] = []

    def __bool__(self) -> bool:
        return bool(self.tags or self.named or self.others)

    def purges(self) -> list[Purge]:
        """What is to be forgotten: as a rule one purge; hard and soft ones are not merged."""
        tags = frozenset(_rolled_up(self.tags) | self.named)
        found = [Purge(tags=tags, soft=conf.larder().proxy.soft), *self.others]
        kinds: dict[tuple[bool, bool], list[Purge]] = {}
        for purge in filter(None, found):
            kinds.setdefault((purge.soft, purge.refresh), []).append(purge)
        return [reduce(or_, same) for same in kinds.values()]

    def take(self, other: Pending) -> None:
        """Takes over all that another has."""
        self.tags |= other.tags
        self.named |= other.named
        self.others += other.others
        other.tags, other.named, other.others = set(), set(), []

    def __call__(self) -> None:
        """The transaction has committed: sends the purges. Only the first call does anything."""
        purges, keys = self.purges(), self.keys or [None] * len(self.purges())
        self.tags, self.named, self.others, self.keys = set(), set(), [], []
        noted = _noted.get()
        for purge, key in zip(purges, keys, strict=True):
            if noted is not None:
                noted.append(purge)
            conf.sender().send(purge, key=key)


def purge_on_commit(
    using: str,
    tags: Iterable[str] = (),
    named: Iterable[str] = (),
    purge: Purge | None = None,
) -> None:
    """Has something forgotten once the transaction of this database commits.

    `tags` are those of models, which become fewer if they are very many; `named` any others.
    Without a transaction that is at once; after a rollback, never. It raises for nothing that
    the proxy does. With an outbox it is written to that within the transaction.
    """
    connection = connections[using]
    pending = _open(connection) or _new(connection)
    pending.tags.update(tags)
    pending.named.update(named)
    if purge:
        pending.others.append(purge)
    if pending and not connection.in_atomic_block and _autocommits(connection):
        _write_to_outbox(pending, connection)
        _safely(pending)


def _rolled_up(tags: set[str]) -> set[str]:
    """The same tags, or those of whole models if they are too many."""
    if len(tags) <= MOST_TAGS:
        return tags
    models = {tag.partition(":")[0] for tag in tags}
    return {tag for model in models for tag in names.whole(model)}


def _open(connection: Any) -> Pending | None:
    """What is pending at this depth of savepoints.

    Directly within the block that a TestCase puts around a test, each write is by itself, as it
    would be without: so `captureOnCommitCallbacks` finds it.
    """
    blocks = connection.atomic_blocks
    if blocks and getattr(blocks[-1], "_from_testcase", False):
        return None
    here = set(connection.savepoint_ids)
    for entry in reversed(connection.run_on_commit):
        if isinstance(entry[1], Pending) and entry[0] == here:
            return entry[1]
    return None


def _new(connection: Any) -> Pending:
    pending = Pending(connection.alias)
    if connection.in_atomic_block:
        transaction.on_commit(pending, using=connection.alias, robust=True)
    elif not _autocommits(connection):
        # The site commits by itself; `on_commit` refuses that, `commit` below sees to it.
        connection.run_on_commit.append((set(), pending, True))
    return pending


def commit(original: Callable[[Any], None], connection: Any) -> None:
    """`BaseDatabaseWrapper.commit`: the purges of the transaction become one, before and after.

    Before, it is written to the outbox, in this very transaction. If the connection breaks
    nobody knows whether the commit has happened: then it is purged in any case.
    """
    pending = _gather(connection)
    if not pending:
        original(connection)
        return
    _write_to_outbox(pending, connection)
    try:
        original(connection)
    except (OperationalError, InterfaceError):
        _safely(pending)
        raise
    _safely(pending)


def _gather(connection: Any) -> Pending:
    """All that is pending on a connection."""
    gathered = Pending(connection.alias)
    for _, one, *_ in connection.run_on_commit:
        if isinstance(one, Pending):
            gathered.take(one)
    return gathered


def _autocommits(connection: Any) -> bool:
    # Not by `get_autocommit`: it would connect, and an async view may not.
    if connection.connection is None:
        return bool(connection.settings_dict["AUTOCOMMIT"])
    return bool(connection.autocommit)


def _write_to_outbox(pending: Pending, connection: Any) -> None:
    if not conf.larder().outbox:
        return
    from . import outbox

    try:
        pending.keys = outbox.write(pending.purges(), connection)
    except SynchronousOnlyOperation:
        logger.warning(
            "A purge by an async view is sent, but not written to the outbox: call purge() "
            "by sync_to_async"
        )


def _safely(pending: Pending) -> None:
    try:
        pending()
    except Exception:
        logger.exception("A purge could not be handed on: what was changed may be shown as it was")


@contextmanager
def commits() -> Iterator[list[Purge]]:
    """Notes what is committed meanwhile, by this thread or task and what it starts."""
    outer = _noted.get()
    purges: list[Purge] = []
    token = _noted.set(purges)
    try:
        yield purges
    finally:
        _noted.reset(token)
        if outer is not None:
            outer.extend(purges)


def committed(request: object = None) -> frozenset[str]:
    """The tags that were committed since `commits` was entered: those of the current request."""
    return frozenset().union(*(purge.tags for purge in _noted.get() or ()))
