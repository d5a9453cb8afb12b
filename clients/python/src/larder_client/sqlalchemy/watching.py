"""SQLAlchemy without Flask: what is committed goes to a sender."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from ..purge import Purge
from ..sender import Sender
from . import receivers
from .events import listen
from .outbox import Outbox


class _ToSender:
    """Hands to a sender whatever is committed in the process."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender

    def concerned(self) -> bool:
        return True

    def has_outbox(self) -> bool:
        return isinstance(self.sender.outbox, Outbox)

    def store(self, where: Session | Connection, tags: frozenset[str]) -> object | None:
        outbox = self.sender.outbox
        return outbox.write(where, self._purge(tags)) if isinstance(outbox, Outbox) else None

    def committed(self, tags: frozenset[str], keys: Sequence[object]) -> None:
        send(self.sender, self._purge(tags), keys)

    def _purge(self, tags: frozenset[str]) -> Purge:
        return Purge(tags=tags, soft=self.sender.client.options.soft)


_watching: dict[int, _ToSender] = {}


def watch(sender: Sender, *, ignore_tables: Sequence[str] = ()) -> None:
    """Listens, and has purged what is committed, from here to the process's end or `unwatch`.

    If the sender's outbox is an `Outbox` of this module, each commit writes a row into it.
    `ignore_tables` are tables that no page shows: sessions, logs, queues. The outbox is one.
    """
    ignored = list(ignore_tables)
    if isinstance(sender.outbox, Outbox):
        ignored.append(sender.outbox.table.fullname)
    listen()
    receiver = _watching.setdefault(id(sender), _ToSender(sender))
    receivers.add(receiver, ignored)


def unwatch(sender: Sender) -> None:
    """Ends it. Nothing happens if it was not begun."""
    receiver = _watching.pop(id(sender), None)
    if receiver is not None:
        receivers.remove(receiver)


def send(sender: Sender, purge: Purge, keys: Sequence[object]) -> None:
    """Sends a purge with all the rows of the outbox that say it."""
    for key in keys or (None,):
        sender.send(purge, key=key)
