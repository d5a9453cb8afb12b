"""From what is changed to what is committed.

A session's changes are its own until `after_commit`. Of a connection that no session uses,
SQLAlchemy tells that it is about to commit, but not that it has: for that, the `do_commit` of its
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
from .units import Unit, disown, left_in, of_connection, of_session, own, owner, units_on


def changed(connection: Connection, tags: set[str]) -> None:
    """A statement has changed what bears these tags."""
    session = owner(connection)
    if _commits_itself(connection):
        receivers.committed(frozenset(tags), [])
        return
    _wrap(connection.dialect)
    if session is not None:
        session_changed(session, tags)
    else:
        of_connection(connection).changes.add(tags)


def session_changed(session: Session, tags: set[str]) -> None:
    """A session has changed what bears these tags."""
    if not tags:
        return
    unit = of_session(session)
    unit.changes.add(tags)
    if unit.closing:
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


def _after_transaction_create(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        of_session(session).changes.begin()


def _before_commit(session: Session) -> None:
    """The last moment for a row in the outbox. What has not been flushed yet is, first."""
    if session.in_nested_transaction() or not receivers.any_outbox():
        return
    session.flush()
    unit = of_session(session)
    unit.store(session)
    unit.closing = True


def _after_commit(session: Session) -> None:
    unit = of_session(session)
    if session.in_nested_transaction():
        unit.changes.release()
        return
    outer = [one for one in unit.connections if one.in_transaction()]
    if not outer:
        unit.commit()
        return
    # The session has joined a transaction that is somebody else's to commit.
    _wrap(outer[0].dialect)
    unit.hand_over(of_connection(outer[0]))


def _after_soft_rollback(session: Session, ended: SessionTransaction) -> None:
    if ended.nested:
        of_session(session).changes.roll_back()
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
    "after_soft_rollback": _after_soft_rollback,
    "after_transaction_end": _after_transaction_end,
}


# Connections.


def _of_its_own(connection: Connection) -> Unit | None:
    return None if owner(connection) is not None else left_in(connection.info)


def _begin(connection: Connection, *_: Any) -> None:
    # What an earlier user of the connection has left without an end was rolled back.
    if (unit := left_in(connection.info)) is not None:
        unit.clear()


def _savepoint(connection: Connection, *_: Any) -> None:
    if owner(connection) is None:
        of_connection(connection).changes.begin()


def _release_savepoint(connection: Connection, *_: Any) -> None:
    if (unit := _of_its_own(connection)) is not None:
        unit.changes.release()


def _rollback_savepoint(connection: Connection, *_: Any) -> None:
    if (unit := _of_its_own(connection)) is not None:
        unit.changes.roll_back()


def _about_to_commit(connection: Connection, *_: Any) -> None:
    if (unit := _of_its_own(connection)) is not None and receivers.any_outbox():
        unit.store(connection)


def _rollback(connection: Connection, *_: Any) -> None:
    if (unit := left_in(connection.info)) is not None:
        unit.clear()


_ENGINE: dict[str, Callable[..., None]] = {
    "begin": _begin,
    "begin_twophase": _begin,
    "savepoint": _savepoint,
    "release_savepoint": _release_savepoint,
    "rollback_savepoint": _rollback_savepoint,
    "commit": _about_to_commit,
    "prepare_twophase": _about_to_commit,
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


def _telling(commit: Callable[..., None]) -> Callable[..., None]:
    @wraps(commit)
    def commit_and_tell(connection: Any, *args: Any, **options: Any) -> None:
        try:
            commit(connection, *args, **options)
        except Exception:
            # It may have happened all the same, and of a session's others some have.
            for one in units_on(connection.info):
                receivers.committed(one.changes.seen(), [])
            raise
        if (unit := left_in(connection.info)) is not None:
            unit.commit()

    return commit_and_tell
