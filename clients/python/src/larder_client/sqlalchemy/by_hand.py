"""What nobody can see, said by hand; and what nobody is to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from . import receivers, transactions
from .names import written_tags


def changed(
    table: str, keys: Iterable[object] | None = None, *, where: Session | Connection | None = None
) -> None:
    """Says that rows of a table were written in a way that can't be seen: by a trigger, a
    function, COPY, another program.

    `keys` are their primary keys, None if nobody knows. They are purged when the transaction of
    `where` is committed, or at once without one.
    """
    tags = written_tags(table.lower(), keys)
    if isinstance(where, Session):
        transactions.session_changed(where, tags)
    elif where is not None:
        transactions.changed(where, tags)
    else:
        receivers.committed(frozenset(tags), [])


@contextmanager
def unwatched() -> Iterator[None]:
    """Has nothing recorded and nothing purged for what this thread or task does meanwhile.

    For imports that purge once at their end, and for statements that change nothing.
    """
    token = receivers.quiet.set(True)
    try:
        yield
    finally:
        receivers.quiet.reset(token)
