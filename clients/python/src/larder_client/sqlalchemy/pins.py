"""Which values a statement compares a table's keys to, so that its rows are told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Dialect, Table
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, Grouping
from sqlalchemy.types import TypeEngine

from .names import key_of, plain_type, scope_columns, table_name


@dataclass(frozen=True)
class Pin:
    """The names of the parameters that some columns are compared to: one a column. With `many`,
    the one column is looked for in a list, whose members are `name_1`, `name_2`, ...
    """

    columns: tuple[Column[Any], ...]
    binds: tuple[str, ...]
    many: bool
    #: The type whose values are the key as they are, if the column is a single one.
    exactly: type | None

    def keys(self, values: Mapping[str, Any]) -> list[object] | None:
        """The values that are asked for; None if they can't be told."""
        if self.exactly is not None:  # most of them, by far
            value = values.get(self.binds[0])
            if type(value) is self.exactly:
                return [value]
        types = [column.type for column in self.columns]
        try:
            if not self.many:
                return [key_of(types, [values[bind] for bind in self.binds])]
            keys = [key_of(types, [value]) for value in _members(values, self.binds[0])]
            return keys or None
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True)
class Pins:
    """What a statement asks of the rows of its tables."""

    #: The tables that are asked by primary key.
    keys: Mapping[str, Pin]
    #: Those that are asked by a foreign key, which are lists of what belongs to one row of another,
    #: or by what is unique.
    scopes: Mapping[str, Pin]


def pins_of(compiled: SQLCompiler, where: object) -> Pins:
    """What the WHERE of a compiled statement says."""
    found: dict[Table, dict[str, Pin]] = {}
    for column, bind, many in _equalities(where):
        name = compiled.bind_names.get(bind)
        if name is not None and isinstance(column.table, Table):
            # What is annotated stands for the table's own column.
            own = column.table.c.get(column.key)
            if own is not None and plain_type(own.type) and _exact(compiled.dialect, own.type):
                exactly = None if many else own.type.python_type
                found.setdefault(own.table, {})[own.key] = Pin((own,), (name,), many, exactly)
    keys: dict[str, Pin] = {}
    scopes: dict[str, Pin] = {}
    for table, by_column in found.items():
        if (key := _key(table, by_column)) is not None:
            keys[table_name(table)] = key
        for pin in by_column.values():
            if pin.columns[0] in scope_columns(table) and not pin.many:
                scopes.setdefault(table_name(table), pin)
    return Pins(keys, scopes)


# Databases that compare text without regard to case, unless they are told otherwise.
_ANY_CASE = ("mysql", "mariadb", "mssql")


def _exact(dialect: Dialect, kind: TypeEngine[Any]) -> bool:
    """Whether values are the same only if they are spelt alike."""
    if not issubclass(kind.python_type, str):
        return True
    any_case = dialect.name in _ANY_CASE or kind.__visit_name__ == "CITEXT"
    return not any_case and getattr(kind, "collation", None) is None


def _key(table: Table, by_column: Mapping[str, Pin]) -> Pin | None:
    """The pin of a whole primary key, if all its columns are there."""
    pins = [by_column.get(column.key) for column in table.primary_key]
    found = [pin for pin in pins if pin is not None]
    if not found or len(found) < len(pins):
        return None
    if len(found) == 1:
        return found[0]
    if any(pin.many for pin in found):
        return None
    columns = tuple(pin.columns[0] for pin in found)
    return Pin(columns, tuple(pin.binds[0] for pin in found), False, None)


def _equalities(where: object) -> Iterator[tuple[Column[Any], BindParameter[Any], bool]]:
    """Each `column = value` and `column IN (values)` that every row must fulfil."""
    if isinstance(where, Grouping):
        yield from _equalities(where.element)
    elif isinstance(where, BooleanClauseList) and where.operator is operators.and_:
        for clause in where.clauses:
            yield from _equalities(clause)
    elif isinstance(where, BinaryExpression) and where.operator in (operators.eq, operators.in_op):
        many = where.operator is operators.in_op
        for one, other in ((where.left, where.right), (where.right, where.left)):
            if isinstance(one, Column) and isinstance(other, BindParameter):
                yield one, other, many


def _members(values: Mapping[str, Any], bind: str) -> Iterator[object]:
    if isinstance(values.get(bind), (list, tuple, set, frozenset)):
        yield from values[bind]
        return
    number = 1
    while (name := f"{bind}_{number}") in values:
        yield values[name]
        number += 1
