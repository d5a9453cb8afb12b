"""Listening to SQLAlchemy: to the statements and sessions of the whole process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.engine.interfaces import ExecutionContext
from sqlalchemy.orm import Session

from ..collected import Collected
from . import cascades, receivers, transactions
from .models import further_tags
from .plan import plan_of
from .reads import Page, page_of_statement, record_held, record_statement
from .units import of_session, owners, sessions_here
from .writes import registered_tags, tags_of_statement

logger = logging.getLogger("larder_client")

_listening = False


def listen() -> None:
    """Begins to listen, once for the process."""
    global _listening
    if _listening:
        return
    _listening = True
    transactions.listen()
    cascades.listen()
    event.listen(Engine, "after_execute", _after_execute)
    event.listen(Engine, "after_cursor_execute", _after_cursor_execute)
    event.listen(Session, "after_flush", _after_flush)
    event.listen(Session, "persistent_to_deleted", _deleted)


def holding() -> list[Session]:
    """The sessions of this thread or task that hold objects from before the page that begins.

    Reading those again makes no statement, so that nobody is told: see `record_holding`.
    """
    return [session for session in sessions_here() if _holds(session)]


def record_holding(collected: Collected, sessions: list[Session]) -> None:
    """Records all tables of what these sessions hold, at the end of the page."""
    for session in sessions:
        record_held(collected, session, receivers.ignored())


def _holds(session: Session) -> bool:
    return any(not inspect(instance).expired for instance in session.identity_map.values())


def _careful(listener: Callable[..., None]) -> Callable[..., None]:
    """No error of this package's own may break what the application does."""

    @wraps(listener)
    def listen(*args: Any) -> None:
        try:
            listener(*args)
        except Exception:
            logger.exception("larder's listener to SQLAlchemy has an error; please report it")

    return listen


@_careful
def _after_execute(
    connection: Connection, clause: object, many: object, one: object, options: object, result: Any
) -> None:
    context = getattr(result, "context", None)
    if context is not None and context.compiled is not None:
        _statement(connection, context, None)


def _after_cursor_execute(
    connection: Connection,
    cursor: object,
    statement: str,
    parameters: object,
    context: ExecutionContext | None,
    many: bool,
) -> None:
    # Only what `exec_driver_sql` was given: all else comes to `_after_execute`.
    if context is not None and context.compiled is None:
        _careful(_statement)(connection, context, statement)


def _statement(connection: Connection, context: ExecutionContext, sql: str | None) -> None:
    if receivers.quiet.get():
        return
    page = page_of_statement()
    plan = plan_of(context, sql)
    if plan.found.writes:
        tags = tags_of_statement(plan, context, receivers.ignored())
        if tags:
            transactions.changed(connection, tags)
    if page is not None and plan.reads:
        record_statement(page, plan, context, lambda: _is_fresh(connection, page))


def _is_fresh(connection: Connection, page: Page) -> bool:
    """Whether the sessions of a connection have loaded all that they hold for this page."""
    return all(of_session(one).page is page.collected for one in owners(connection))


@_careful
def _after_flush(session: Session, _: object) -> None:
    if not receivers.quiet.get():
        transactions.session_changed(session, registered_tags(session))


@_careful
def _deleted(session: Session, instance: object) -> None:
    if not receivers.quiet.get():
        transactions.session_changed(session, further_tags(instance))
