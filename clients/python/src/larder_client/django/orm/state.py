"""What is known about a connection while statements run on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Watch:
    """Hangs on each connection of Django's."""

    __slots__ = ("quiet", "seen")

    def __init__(self) -> None:
        #: The statements of the query that Django's compiler is executing; None without one.
        self.seen: list[str] | None = None
        #: Whether reads and writes are our own, and not to be looked at.
        self.quiet = False


def watch_of(connection: Any) -> Watch:
    """The watch of a connection; it is made when first asked for."""
    watch = connection.__dict__.get("_larder_watch")
    if watch is None:
        watch = connection._larder_watch = Watch()
    return watch  # type: ignore[no-any-return]  # connections have no types


@contextmanager
def quietly(connection: Any) -> Iterator[None]:
    """Has nothing recorded and nothing purged for what is done on this connection meanwhile."""
    watch = watch_of(connection)
    before, watch.quiet = watch.quiet, True
    try:
        yield
    finally:
        watch.quiet = before


@contextmanager
def compiled(connection: Any) -> Iterator[list[str]]:
    """Says that statements meanwhile are Django's own, of a query that is looked at as such."""
    watch = watch_of(connection)
    before, watch.seen = watch.seen, []
    try:
        yield watch.seen
    finally:
        watch.seen = before
