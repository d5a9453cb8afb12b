"""Recording what a page has read, as the statements run and the objects are loaded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.engine.interfaces import ExecutionContext
from sqlalchemy.orm import InstanceState, Mapper, Session

from ..collected import Collected, current, row_key
from . import receivers
from .models import all_in_lists, beneath
from .names import LISTS, ROWS, identity_class, mapped_tables, row_table, scope_key
from .plan import Plan, Read

logger = logging.getLogger("larder_client")


class _Rows:
    """The rows of one class that a page tells apart, and how many more."""

    __slots__ = ("left", "sets", "tables")

    def __init__(self, collected: Collected, mapped: type) -> None:
        tables = (table for table in _row_tables(mapped) if table not in receivers.ignored())
        # Where all changes count for lists, each purges them, whatever their rows.
        self.tables = [table for table in tables if not all_in_lists(table)]
        self.left = collected.options.max_tags if self.tables else 0
        self.sets = [collected.rows_of(table) for table in self.tables]


class Page:
    """A page that is being made."""

    __slots__ = ("collected", "rows")

    def __init__(self, collected: Collected) -> None:
        self.collected = collected
        self.rows: dict[type, _Rows] = {}


# That of the last statement: what is loaded is loaded by it.
_page: ContextVar[Page | None] = ContextVar("larder_client.page", default=None)


def page_of_statement() -> Page | None:
    """The page that a statement is run for, and that its objects will be of; None without one."""
    collected, page = current(), _page.get()
    if collected is None:
        if page is not None:
            _page.set(None)
        return None
    if page is None or page.collected is not collected:
        page = Page(collected)
        _page.set(page)
    return page


def record_statement(
    page: Page, plan: Plan, context: ExecutionContext, is_fresh: Callable[[], bool]
) -> None:
    """Records the tables that a statement has read.

    A table that is asked by primary key is those rows, there or not. Every other is a list, maybe
    by a foreign key; and any row of it, unless its rows become objects. These are recorded one by
    one where lists stay as they are when a row in them changes (`register(list_fields=...)`), as
    long as the session is fresh: it holds nothing that it loaded for another page.
    """
    collected = page.collected
    for read in plan.reads:
        table = read.table
        if table in receivers.ignored():
            continue
        keys = read.key.keys(parameters(context)[0]) if read.key is not None else None
        if keys is not None:
            collected.add_rows(table, [*keys, ROWS])
        else:
            _record_list(collected, read, context, read.loaded and is_fresh())
        for one in beneath(table):
            _record_any(collected, one)


def _record_list(collected: Collected, read: Read, context: ExecutionContext, loaded: bool) -> None:
    """A list: one of its own, if columns that don't count for lists can't matter to it."""
    scope = read.scope
    if scope is not None and (loaded or all_in_lists(read.table)):
        values = scope.keys(parameters(context)[0])
        if values is not None:
            found = scope_key(scope.columns[0].name, values[0])
            collected.add_rows(read.table, [found, LISTS])
            return
    collected.add_list(read.table)
    if not loaded:
        collected.add_row(read.table, None)


def _record_any(collected: Collected, table: str) -> None:
    collected.add_list(table)
    collected.add_row(table, None)


_listening = False


def listen_to_rows() -> None:
    """Has `record_loaded` told of objects from now on: it is what costs most."""
    global _listening
    if not _listening:
        _listening = True
        event.listen(Mapper, "load", record_loaded, raw=True)


def record_loaded(state: InstanceState[Any], _: object) -> None:
    """Records an object that a session has just loaded. This runs for each of them: it is kept
    short, and beyond `max_tags` it takes next to nothing.
    """
    page = _page.get()
    if page is None or receivers.quiet.get():
        return
    try:
        _record_row(page, state)
    except Exception:
        logger.exception("larder's listener to SQLAlchemy has an error; please report it")


def _record_row(page: Page, state: InstanceState[Any]) -> None:
    rows = page.rows.get(state.class_)
    if rows is None:
        rows = page.rows[state.class_] = _Rows(page.collected, state.class_)
    if rows.left > 0 and state.key is not None:
        rows.left -= 1
        key = state.key[1]
        written = str(key[0]) if len(key) == 1 else row_key(key)
        if rows.left and written:
            for some in rows.sets:
                some.add(written)
        else:
            for table in rows.tables:
                page.collected.add_row(table, None)


def record_held(collected: Collected, session: Session, ignored: frozenset[str]) -> None:
    """Records all tables of the objects that a session has held since before the page began:
    reading those again makes no statement.
    """
    for mapped in {key[0] for key in list(session.identity_map.keys())}:
        for table in set(mapped_tables(inspect(mapped))) - ignored:
            _record_any(collected, table)


def parameters(context: ExecutionContext) -> list[Mapping[str, Any]]:
    """The parameters of a compiled statement by their names, a mapping for each time it ran."""
    return list(getattr(context, "compiled_parameters", None) or [{}])


@cache
def _row_tables(mapped: type) -> tuple[str, ...]:
    """The tables that name the rows of a mapped class: none if they can't be named."""
    mapper: Mapper[Any] = inspect(mapped)
    return () if row_table(identity_class(mapper)) is None else mapped_tables(mapper)
