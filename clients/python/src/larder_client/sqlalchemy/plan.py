"""What is known of a compiled statement: worked out once, however often it runs."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import inspect
from sqlalchemy.engine.interfaces import ExecutionContext
from sqlalchemy.orm import Mapper
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select

from . import cascades
from .names import identity_class, mapped_tables, row_table, untranslated
from .pins import Pin, Pins, pins_of
from .sql import Touched, touched

logger = logging.getLogger("larder_client")


@dataclass(frozen=True)
class Read:
    """A table that a statement reads."""

    table: str
    #: Its primary key, if only those rows matter.
    key: Pin | None
    #: A foreign key, if only the rows that have it matter.
    scope: Pin | None
    #: Whether its rows become objects, each of which is told of when it is loaded.
    loaded: bool


@dataclass(frozen=True)
class Plan:
    """What is known of a statement before it runs."""

    #: What its SQL says.
    found: Touched
    #: The tables that it writes by primary key.
    keys: Mapping[str, Pin]
    #: The tables that it reads.
    reads: tuple[Read, ...]


_plans: WeakKeyDictionary[SQLCompiler, Plan] = WeakKeyDictionary()


def plan_of(context: ExecutionContext, sql: str | None = None) -> Plan:
    """The plan of a statement that is run, `sql` if it has not been compiled."""
    compiled = context.compiled
    plan = _plans.get(compiled) if isinstance(compiled, SQLCompiler) else None
    if plan is not None:
        return plan
    if not isinstance(compiled, SQLCompiler):
        return _planned(touched(sql or str(context.statement)), _NONE, frozenset())
    schemas = context.execution_options.get("schema_translate_map")
    found = touched(str(context.statement if schemas else compiled.string))
    if schemas:  # the same compiled statement may run with others
        return _planned(_untranslated(found, schemas), *_known(compiled))
    plan = _plans[compiled] = _planned(found, *_known(compiled))
    return plan


_NONE = Pins({}, {})


def _planned(found: Touched, pins: Pins, loaded: frozenset[str]) -> Plan:
    reads = []
    for table, number in found.reads.items():
        once = number == 1  # elsewhere in the statement it may be asked for other rows
        key = pins.keys.get(table) if once else None
        scope = pins.scopes.get(table) if once else None
        reads.append(Read(table, key, scope, table in loaded))
    return Plan(found, pins.keys, tuple(reads))


def _untranslated(found: Touched, schemas: Mapping[str | None, str | None]) -> Touched:
    reads: Counter[str] = Counter()
    for name, number in found.reads.items():
        reads[untranslated(name, schemas)] += number
    writes = frozenset(untranslated(name, schemas) for name in found.writes)
    return replace(found, reads=reads, writes=writes)


def _known(compiled: SQLCompiler) -> tuple[Pins, frozenset[str]]:
    """The pins, and the tables whose rows become objects."""
    try:
        return _analysed(compiled)
    except Exception:
        # Its tables are known by its SQL: tags are coarser then, and none is missing.
        logger.exception("a statement is not understood; please report it: %s", compiled)
        return _NONE, frozenset()


def _analysed(compiled: SQLCompiler) -> tuple[Pins, frozenset[str]]:
    statement = getattr(compiled.compile_state, "statement", None)
    if isinstance(statement, Select):
        pins = pins_of(compiled, statement.whereclause)
        mappers = _mappers(compiled.statement)
        for mapper in mappers:
            cascades.learn(mapper.local_table)
        if len(mappers) == 1:
            pins = replace(pins, keys={**pins.keys, **_family(mappers[0], pins.keys)})
        named = [mapper for mapper in mappers if row_table(identity_class(mapper)) is not None]
        return pins, frozenset(table for mapper in named for table in _tables(mapper))
    if isinstance(statement, UpdateBase):
        cascades.learn(statement.table)
        return pins_of(compiled, getattr(statement, "whereclause", None)), frozenset()
    return _NONE, frozenset()


def _mappers(statement: object) -> list[Mapper[Any]]:
    """The mapped classes whose objects a statement gives, if it is the ORM's."""
    try:
        described = getattr(statement, "column_descriptions", ())
    except Exception:  # of what has no columns, such as a statement of text
        return []
    return [
        inspect(one["entity"]).mapper
        for one in described
        if one.get("entity") is not None and one.get("expr") is one["entity"]
    ]


def _family(mapper: Mapper[Any], pins: Mapping[str, Pin]) -> dict[str, Pin]:
    """The same pin for all tables that joined inheritance puts an object's row into."""
    for table in mapped_tables(mapper):
        if table in pins:
            return dict.fromkeys(_tables(mapper), pins[table])
    return {}


def _tables(mapper: Mapper[Any]) -> set[str]:
    """The tables of a mapped class and of those below it that share its rows."""
    below = [one for one in mapper.self_and_descendants if not one.concrete]
    return {*mapped_tables(mapper), *(table for one in below for table in mapped_tables(one))}
