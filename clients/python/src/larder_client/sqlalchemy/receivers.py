"""Who is told of what has been committed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.orm import Session

logger = logging.getLogger("larder_client")


class Receiver(Protocol):
    """Has what was committed forgotten."""

    def concerned(self) -> bool:
        """Whether changes of this thread or task, at this moment, are its own."""
        ...

    def has_outbox(self) -> bool:
        """Whether `store` writes anything down."""
        ...

    def store(self, where: Session | Connection, tags: frozenset[str]) -> object | None:
        """Writes down, in a transaction that is about to be committed, what to purge then.

        Gives the key of the row, or None.
        """
        ...

    def committed(self, tags: frozenset[str], keys: Sequence[object]) -> None:
        """These tags are to be purged now; the rows of these keys say the same."""
        ...


Stored = list[tuple[Receiver, object]]

#: Whether what happens in this thread or task is nobody's business (`unwatched`).
quiet: ContextVar[bool] = ContextVar("larder_client.quiet", default=False)

_receivers: list[Receiver] = []
_ignored: frozenset[str] = frozenset()


def add(receiver: Receiver, ignore_tables: Sequence[str]) -> None:
    """Tells this one too. Tables that are ignored are so for all."""
    global _ignored
    if receiver not in _receivers:
        _receivers.append(receiver)
    _ignored |= {table.lower() for table in ignore_tables}


def remove(receiver: Receiver) -> None:
    """Tells this one no more."""
    if receiver in _receivers:
        _receivers.remove(receiver)


def ignored() -> frozenset[str]:
    """The tables whose reads and writes are nobody's business."""
    return _ignored


def any_outbox() -> bool:
    """Whether anybody whom it concerns keeps an outbox."""
    return any(receiver.has_outbox() for receiver in _concerned())


def store(where: Session | Connection, tags: frozenset[str]) -> Stored:
    """Has those who keep an outbox write it down. Never raises."""
    stored = []
    for receiver in _concerned():
        try:
            key = receiver.store(where, tags)
        except Exception:
            logger.exception(
                "a purge can't be written to the outbox: if the process dies before it is "
                "delivered, it is lost. See that the outbox's table is there and may be written"
            )
            continue
        if key is not None:
            stored.append((receiver, key))
    return stored


def committed(tags: frozenset[str], stored: Stored) -> None:
    """Tells everybody whom it concerns. Never raises: what is committed is committed."""
    if not tags:
        return
    told = _concerned()
    for receiver in [*told, *(one for one, _ in stored if one not in told)]:
        try:
            receiver.committed(tags, [key for one, key in stored if one is receiver])
        except Exception:
            logger.exception("a purge of %d tags failed; please report it", len(tags))


def _concerned() -> list[Receiver]:
    return [receiver for receiver in _receivers if receiver.concerned()]
