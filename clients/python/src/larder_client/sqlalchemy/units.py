"""What is known of a transaction: what it has changed, and who has it written down."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from ..collected import Collected, current
from . import receivers
from .changes import Changes


class Unit:
    """One transaction: a session's over all its connections, or that of a single connection."""

    def __init__(self) -> None:
        self.changes = Changes()
        #: The connections that a session has in its transaction.
        self.connections: list[Connection] = []
        #: The page for which a session has loaded all that it holds.
        self.page: Collected | None = None
        self._stored: receivers.Stored = []
        self._stored_tags: frozenset[str] = frozenset()
        #: Whether it is about to be committed: what is changed now has to be stored at once.
        self.closing = False

    def store(self, where: Session | Connection) -> None:
        """Has the outboxes write down what they haven't yet."""
        tags = self.changes.seen() - self._stored_tags
        if tags:
            self._stored_tags |= tags
            self._stored += receivers.store(where, tags)

    def commit(self) -> None:
        """It holds: everybody is told."""
        tags, stored = self.changes.seen(), self._stored
        self.clear()
        receivers.committed(tags, stored)

    def hand_over(self, outer: Unit) -> None:
        """It holds as far as the one does that it is a part of."""
        outer.changes.add(self.changes.take())
        outer._stored += self._stored
        outer._stored_tags |= self._stored_tags
        self.clear()

    def clear(self) -> None:
        """It is over."""
        self.changes.clear()
        self._stored, self._stored_tags, self.closing = [], frozenset(), False


_sessions: WeakKeyDictionary[Session, Unit] = WeakKeyDictionary()
_owners: WeakKeyDictionary[Connection, ref[Session]] = WeakKeyDictionary()
_here: ContextVar[WeakSet[Session] | None] = ContextVar("larder_client.sessions", default=None)
_INFO = "larder_client"


def of_session(session: Session) -> Unit:
    """The unit of a session."""
    unit = _sessions.get(session)
    if unit is None:
        unit = _sessions[session] = Unit()
    return unit


def of_connection(connection: Connection) -> Unit:
    """The unit of a connection that no session has in its transaction."""
    unit = left_in(connection.info)
    if unit is None:
        unit = connection.info[_INFO] = Unit()
    return unit


def left_in(info: Mapping[Any, Any]) -> Unit | None:
    """The unit that a connection has in its `info`, if it has one."""
    unit = info.get(_INFO)
    return unit if isinstance(unit, Unit) else None


def owner(connection: Connection) -> Session | None:
    """The session that has a connection in its transaction."""
    found = _owners.get(connection)
    return found() if found is not None else None


def units_on(info: Mapping[Any, Any]) -> list[Unit]:
    """The units whose changes are on the connection that has this `info`: looks at all sessions."""
    found = [
        unit
        for unit in list(_sessions.values())
        if any(_is_on(one, info) for one in unit.connections)
    ]
    unit = left_in(info)
    return found if unit is None else [*found, unit]


def _is_on(connection: Connection, info: Mapping[Any, Any]) -> bool:
    # One that is invalidated would be opened anew to be asked.
    return not connection.closed and not connection.invalidated and connection.info is info


def own(session: Session, connection: Connection) -> None:
    """A session takes a connection into its transaction."""
    unit = of_session(session)
    unit.connections.append(connection)
    if not session.identity_map:
        unit.page = current()
    _owners[connection] = ref(session)
    here = _here.get()
    if here is None:
        here = WeakSet()
        _here.set(here)
    here.add(session)


def disown(session: Session) -> None:
    """A session's transaction is over."""
    unit = of_session(session)
    for connection in unit.connections:
        _owners.pop(connection, None)
    unit.connections.clear()
    unit.clear()


def sessions_here() -> list[Session]:
    """The sessions that were at work in this thread or task, and are there still."""
    return list(_here.get() or ())
