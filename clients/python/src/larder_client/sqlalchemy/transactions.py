"""From what is changed to what is committed.

A session tells of its commit in `after_commit`. Of a connection that is committed otherwise,
SQLAlchemy tells that it is about to be, but not that it has been: for that, the `do_commit` of its
dialect is wrapped.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.orm import Session, SessionTransaction

from . import receivers
from .units import (
    commit,
    disown,
    known,
    mark,
    marked,
    of_connection,
    of_session,
    own,
    owners,
    seen,
    units_on,
)


def changed(connection: Connection, tags: set[str]) -> None:
    """A statement has changed what bears these tags."""
    if _commits_itself(connection):
        receivers.committed(frozenset(tags), [])
        return
    _wrap(connection.dialect)
    of_connection(connection).changes.add(tags)
    for session in owners(connection):
        _store_late(session)


def session_changed(session: Session, tags: set[str]) -> None:
    """A session has changed what bears these tags."""
    if not tags:
        return
    connections = list(of_session(session).connections)
    if not connections and isinstance(session.bind, Connection) and session.bind.in_transaction():
        connections = [session.bind]  # which it has yet to join
    for connection in connections:
        changed(connection, tags)
    if not connections:
        of_session(session).changes.add(tags)
        _store_late(session)


def _store_late(session: Session) -> None:
    unit = of_session(session)
    if unit.closing and receivers.any_outbox():
        unit.store(session)


def listen() -> None:
    """Listens to the transactions of all sessions and engines."""
    for name, listener in _SESSION.items():
        event.listen(Session, name, listener)
    for name, listener in _ENGINE.items():
        event.listen(Engine, name, listener)


def _commits_itself(connection: Connection) -> bool:
    level = connection.get_execution_options().get("isolation_level")
    if level is None:
        level = getattr(connection.dialect, "_on_connect_isolation_level", None)
    return level == "AUTOCOMMIT"


# Sessions.


def _after_begin(session: Session, _: SessionTransaction, connection: Connection) -> None:
    own(session, connection)
    _wrap(connection.dialect)


def _after_transaction_create(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        of_session(session).changes.begin()


def _before_commit(session: Session) -> None:
    """The last moment for a row in the outbox. What has not been flushed yet is, first."""
    if session.in_nested_transaction():
        return
    unit = of_session(session)
    if receivers.any_outbox():
        session.flush()
        unit.store(session)
    unit.closing = True


def _after_commit(session: Session) -> None:
    unit = of_session(session)
    if session.in_nested_transaction():
        unit.changes.release()
        return
    # Those that go on are a transaction that the session has joined, and not its own to commit.
    outer = [one for one in unit.connections if one.in_transaction()]
    if outer:
        unit.hand_over_stored(of_connection(outer[0]))
    commit([unit, *(of_connection(one) for one in unit.connections if one not in outer)])


def _after_rollback(session: Session) -> None:
    of_session(session).closing = False


def _after_soft_rollback(session: Session, ended: SessionTransaction) -> None:
    if ended.nested:
        of_session(session).roll_back()
    elif ended.parent is None:
        of_session(session).clear()


def _after_transaction_end(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is None:
        disown(session)


_SESSION: dict[str, Callable[..., None]] = {
    "after_begin": _after_begin,
    "after_transaction_create": _after_transaction_create,
    "before_commit": _before_commit,
    "after_commit": _after_commit,
    "after_rollback": _after_rollback,
    "after_soft_rollback": _after_soft_rollback,
    "after_transaction_end": _after_transaction_end,
}


# Connections.


def _begin(connection: Connection, *_: Any) -> None:
    # What was left without an end was rolled back.
    if (unit := known(connection)) is not None:
        unit.clear()


def _savepoint(connection: Connection, *_: Any) -> None:
    of_connection(connection).changes.begin()


def _release_savepoint(connection: Connection, *_: Any) -> None:
    if (unit := known(connection)) is not None:
        unit.changes.release()


def _rollback_savepoint(connection: Connection, *_: Any) -> None:
    if (unit := known(connection)) is not None:
        unit.roll_back()


def _about_to_prepare(connection: Connection, *_: Any) -> None:
    if not any(of_session(session).closing for session in owners(connection)):
        _store(connection)


def _about_to_commit(connection: Connection, *_: Any) -> None:
    if not any(_is_committing(session) for session in owners(connection)):
        _store(connection)
        mark(connection)


def _about_to_commit_prepared(connection: Connection, _: object, is_prepared: bool) -> None:
    if is_prepared and not any(_is_committing(session) for session in owners(connection)):
        mark(connection)
    elif not is_prepared:
        _about_to_commit(connection)


def _is_committing(session: Session) -> bool:
    """Whether it is by this session's hand that its connections are committed.

    One that is active still has only begun to: something else has failed before it could.
    """
    transaction = session.get_transaction()
    return of_session(session).closing and not (transaction and transaction.is_active)


def _store(connection: Connection) -> None:
    if (unit := known(connection)) is not None and receivers.any_outbox():
        unit.store(connection)


def _rollback(connection: Connection, *_: Any) -> None:
    if (unit := known(connection)) is not None:
        unit.clear()


_ENGINE: dict[str, Callable[..., None]] = {
    "begin": _begin,
    "begin_twophase": _begin,
    "savepoint": _savepoint,
    "release_savepoint": _release_savepoint,
    "rollback_savepoint": _rollback_savepoint,
    "commit": _about_to_commit,
    "prepare_twophase": _about_to_prepare,
    "commit_twophase": _about_to_commit_prepared,
    "rollback": _rollback,
    "rollback_twophase": _rollback,
}

_wrapped: WeakSet[Dialect] = WeakSet()


def _wrap(dialect: Dialect) -> None:
    """Has a dialect tell when a connection has committed, or has failed to."""
    if dialect in _wrapped:
        return
    _wrapped.add(dialect)
    for name in ("do_commit", "do_commit_twophase"):
        setattr(dialect, name, _telling(getattr(dialect, name)))


def _telling(do_commit: Callable[..., None]) -> Callable[..., None]:
    @wraps(do_commit)
    def commit_and_tell(connection: Any, *args: Any, **options: Any) -> None:
        try:
            do_commit(connection, *args, **options)
        except Exception:
            # It may have happened all the same, and of a session's others some have.
            receivers.committed(seen(units_on(connection.info)), [])
            raise
        if (unit := marked(connection.info)) is not None:
            commit([unit])

    return commit_and_tell
