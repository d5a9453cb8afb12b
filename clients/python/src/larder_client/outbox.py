"""Purges that outlive the process: written with the change, taken out once delivered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from .purge import Purge


class Outbox(Protocol):
    """A table in which an application keeps its purges, in the transaction that causes them.

    The application writes a row (`Purge.to_json`), and after the commit hands purge and key to
    `Sender.send`. The sender calls `done` when it is delivered. Whatever a process has left
    behind is found by `pending`: at the start, and every `Sender.POLL` seconds. A row may be
    delivered twice; that does no harm. Both are called by the sender's thread, and may raise.
    """

    def pending(self, limit: int) -> Sequence[tuple[object, Purge]]:
        """The oldest rows, at most `limit`. Leave out those that are only some seconds old:
        their own process is about to deliver them."""
        ...

    def done(self, keys: Collection[object]) -> None:
        """These are delivered, or never can be; they may be gone already."""
        ...
