"""What is known of a transaction: what it has changed, and who has it written down.

What statements change belongs to their connection, whose savepoints and end the engine tells,
whoever brings them about. A session has what it says itself while it has no connection, and
commits all of its connections at once. So it doesn't matter whether it has begun a transaction,
or joined one that somebody else commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from ..collected import Collected, current
from . import receivers
from .changes import Changes


class Unit:
    """A part of a transaction: what is on a connection, or what a session has said itself."""

    def __init__(self) -> None:
        self.changes = Changes()
        #: The connections that a session has in its transaction.
        self.connections: list[Connection] = []
        #: The page for which a session has loaded all that it holds.
        self.page: Collected | None = None
        #: Whether a session is about to commit: what is changed now has to be stored at once.
        self.closing = False
        self._stored: receivers.Stored = []
        self._stored_tags: frozenset[str] = frozenset()

    def store(self, where: Session | Connection) -> None:
        """Has the outboxes write down what they haven't yet, of its connections too."""
        parts = [self, *map(of_connection, self.connections)]
        known = frozenset().union(*(one._stored_tags for one in parts))
        tags = seen(parts) - known
        if tags:
            self._stored_tags |= tags
            self._stored += receivers.store(where, tags)

    def hand_over_stored(self, other: Unit) -> None:
        """What is written down is a part of another's transaction, which goes on."""
        other._stored += self._stored
        other._stored_tags |= self._stored_tags
        self._stored, self._stored_tags = [], frozenset()

    def roll_back(self) -> None:
        """The last savepoint never happened, and what was written down since is gone."""
        self.changes.roll_back()
        self._stored_tags = frozenset()

    def clear(self) -> None:
        """It is over."""
        self.changes.clear()
        self._stored, self._stored_tags, self.closing = [], frozenset(), False

    def take_stored(self) -> receivers.Stored:
        """What is written down, to be told with what it says."""
        stored, self._stored = self._stored, []
        return stored


def seen(units: Iterable[Unit]) -> frozenset[str]:
    """All that these have changed, as far as it still may hold."""
    return frozenset().union(*(one.changes.seen() for one in units))


def commit(units: list[Unit]) -> None:
    """They hold: everybody is told, once."""
    tags, stored = seen(units), [row for one in units for row in one.take_stored()]
    for one in units:
        one.clear()
    receivers.committed(tags, stored)


_sessions: WeakKeyDictionary[Session, Unit] = WeakKeyDictionary()
_connections: WeakKeyDictionary[Connection, Unit] = WeakKeyDictionary()
_owners: WeakKeyDictionary[Connection, list[ref[Session]]] = WeakKeyDictionary()
_here: ContextVar[WeakSet[Session] | None] = ContextVar("larder_client.sessions", default=None)
_INFO = "larder_client"


def of_session(session: Session) -> Unit:
    """The unit of a session."""
    unit = _sessions.get(session)
    if unit is None:
        unit = _sessions[session] = Unit()
    return unit


def of_connection(connection: Connection) -> Unit:
    """The unit of a connection."""
    unit = _connections.get(connection)
    if unit is None:
        unit = _connections[connection] = Unit()
    return unit


def known(connection: Connection) -> Unit | None:
    """The unit of a connection, if it has one."""
    return _connections.get(connection)


def owners(connection: Connection) -> list[Session]:
    """The sessions that have a connection in their transaction: several may have joined it."""
    found = (one() for one in _owners.get(connection, ()))
    return [session for session in found if session is not None]


# A dialect that commits knows the connection of the driver alone. `info` is the same for both.


def mark(connection: Connection) -> None:
    """This one is about to be committed, and not by a session."""
    connection.info[_INFO] = ref(connection)


def marked(info: MutableMapping[Any, Any]) -> Unit | None:
    """The unit of the one that was, if it has one."""
    found = info.pop(_INFO, None)
    connection = found() if isinstance(found, ref) else None
    if connection is None or not _is_on(connection, info):
        return None
    return known(connection)


def units_on(info: Mapping[Any, Any]) -> list[Unit]:
    """The units of all that may be committed with the connection that has this `info`: looks at
    all connections."""
    found = [one() for one in _connections.keyrefs()]
    on = {one for one in found if one is not None and _is_on(one, info)}
    sessions = {session for one in on for session in owners(one)}
    for session in sessions:
        on.update(of_session(session).connections)
    return [*map(of_session, sessions), *map(of_connection, on)]


def _is_on(connection: Connection, info: Mapping[Any, Any]) -> bool:
    # One that is invalidated would be opened anew to be asked.
    return not connection.closed and not connection.invalidated and connection.info is info


def own(session: Session, connection: Connection) -> None:
    """A session takes a connection into its transaction."""
    unit = of_session(session)
    if not session.identity_map:
        unit.page = current()
    if connection not in unit.connections:
        unit.connections.append(connection)
        _owners.setdefault(connection, []).append(ref(session))
    of_connection(connection).changes.add(unit.changes.take())
    here = _here.get()
    if here is None:
        here = WeakSet()
        _here.set(here)
    here.add(session)


def disown(session: Session) -> None:
    """A session's transaction is over."""
    unit = of_session(session)
    for connection in unit.connections:
        _owners[connection] = [ref(one) for one in owners(connection) if one is not session]
    unit.connections.clear()
    unit.clear()


def sessions_here() -> list[Session]:
    """The sessions that were at work in this thread or task, and are there still."""
    return list(_here.get() or ())
