"""What a page is made of: the rows and lists that the ORM's queries bring.

Every SELECT of the ORM ends in one method of its compiler, `execute_sql`. There the rows are
still tuples, and taking the key out of each costs little. A table that stands in the statement
and brings no rows that can be told apart (a join for a filter, a subquery, an aggregate) is
recorded as a whole: the model's name.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet, FieldDoesNotExist
from django.db.models import F
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import OrderBy
from django.db.models.sql.constants import MULTI, SINGLE

from larder_client import Collected, current

from . import expert, lookups, names, registry, sql
from .names import LISTS, ROWS, Model
from .state import compiled, watch_of

logger = logging.getLogger("larder_client")


def select(
    original: Callable[..., Any], compiler: Any, result_type: str, *args: Any, **how: Any
) -> Any:
    """`SQLCompiler.execute_sql`, recorded if a page is being made."""
    with compiled(compiler.connection) as seen:
        results = original(compiler, result_type, *args, **how)
    collected = current()
    if collected is None or watch_of(compiler.connection).quiet:
        return results
    text = seen[-1] if seen else _text_of(compiler, collected)
    if text is None:
        return results
    reading = _Reading(compiler, collected, str(text))
    try:
        return reading.recorded(results, result_type)
    except Exception:
        reading.fall_back()
        return results


def _text_of(compiler: Any, collected: Collected) -> object | None:
    """The statement of a query that was answered without one: by an app that keeps results, such
    as django-cachalot. None if there is nothing to ask, as of `pk__in=[]`.
    """
    try:
        return compiler.as_sql()[0] or None
    except EmptyResultSet:
        return None
    except Exception:
        logger.exception("larder can't read a query, and records its model; please report it")
        if compiler.query.model is not None:
            _record_any(collected, compiler.query.model._meta.concrete_model)
        return None


def record_statement(statement: sql.Statement, collected: Collected) -> None:
    """Records a statement of which only the text is known."""
    for table in statement.mentions:
        for model in names.models_of(table):
            _record_any(collected, model)


def _record_any(collected: Collected, model: Model) -> None:
    name = names.model_name(model)
    collected.add_row(name, None)
    collected.add_list(name)
    for source in registry.sources(model):
        _record_any(collected, source)


class _Reading:
    """One SELECT that has been executed."""

    def __init__(self, compiler: Any, collected: Collected, text: str) -> None:
        self.compiler = compiler
        self.collected = collected
        self.query = compiler.query
        model = self.query.model
        self.model: Model = model._meta.concrete_model if model is not None else None
        self.statement = sql.look(text, compiler.connection.vendor)

    def recorded(self, results: Any, result_type: str) -> Any:
        """The results, once their rows are recorded or as they are taken."""
        if not self.statement.mentions and (self.model is None or names.is_ignored(self.model)):
            return results
        if not self._is_plain():
            record_statement(self.statement, self.collected)
            return results
        sources = self._sources()
        self._record_others(sources)
        if result_type == MULTI:
            if not isinstance(results, list):
                self._record_rows(sources, [])
                return self._as_taken(sources, results)
            self._record_rows(sources, results)
        elif result_type == SINGLE:
            self._record_rows(sources, [] if results is None else [[results]])
        else:
            self._record_rows(sources, [])
        return results

    def _is_plain(self) -> bool:
        query = self.query
        columns = self.compiler.select or ()
        return (
            self.model is not None
            # A composite key that is selected as one takes several places.
            and not any(hasattr(column, "targets") for column, _, _ in columns)
            and not query.combinator
            and query.explain_info is None
            and query.base_table is not None
            and not hasattr(query, "inner_query")
            and isinstance(query.alias_map[query.base_table].table_name, str)
        )

    # Where rows come from.

    def _sources(self) -> list[_Source]:
        """The model itself, and those that select_related brings."""
        compiler = self.compiler
        own = _Source(self.model, _key_places(compiler, self.model, self.query.base_table))
        found = [own]
        info = compiler.klass_info or {}
        waiting = list(info.get("related_klass_infos", ()))
        while waiting:
            info = waiting.pop()
            found.append(_related(compiler, info))
            waiting.extend(info.get("related_klass_infos", ()))
        return found

    def _record_others(self, sources: list[_Source]) -> None:
        """Tables that stand there more often than rows are taken from them."""
        own, *related = sources
        taken = Counter(own.tables)
        if related and not _orders_by_others(self.query):
            for source in related:
                if not source.filters(self.query):
                    taken.update(source.tables)
        for table, times in self.statement.mentions.items():
            if times > taken[table] and not (times == 1 and self._record_between(table)):
                for model in names.models_of(table):
                    _record_any(self.collected, model)

    def _record_between(self, table: str) -> bool:
        """Records the rows between the ends of a many-to-many relation, if those of one end."""
        models = names.models_of(table)
        if len(models) != 1 or not models[0]._meta.auto_created:
            return False
        joins = self.query.alias_map.items()
        aliases = [a for a, join in joins if names.table_key(join.table_name) == table]
        scopes = [lookups.scopes(self.query, models[0], alias) for alias in aliases]
        if len(aliases) != 1 or scopes[0] is None:
            return False
        self.collected.add_rows(names.model_name(models[0]), [*scopes[0], LISTS])
        return True

    # Rows.

    def _record_rows(self, sources: list[_Source], chunks: Iterable[Iterable[Any]]) -> None:
        own, *related = sources
        rows = [row for chunk in chunks for row in chunk]
        self._record_own(own, rows)
        for source in related:
            source.record(self.compiler, self.collected, rows)

    def _record_own(self, own: _Source, rows: list[Any]) -> None:
        if names.is_ignored(self.model):
            return
        asked = lookups.asked_keys(self.query, self.model)
        name = names.model_name(self.model)
        for source in registry.sources(self.model):
            _record_any(self.collected, source)
        if asked is not None:
            self.collected.add_rows(name, [*asked, ROWS])
        parts = expert.parts_of(self.query, self.model) if asked is None else None
        if parts is not None:
            self.collected.add(*parts)
        if own.places is not None or (asked is None and parts is None):
            own.record(self.compiler, self.collected, rows)
        if parts is None and not self._is_settled(asked, own, rows):
            self._record_list(own, name)

    def _record_list(self, own: _Source, name: str) -> None:
        base = self.query.base_table
        scopes = None if own.places is None else lookups.scopes(self.query, self.model, base)
        if scopes is None:
            self.collected.add_list(name)
        else:
            self.collected.add_rows(name, [*scopes, LISTS])

    def _is_settled(self, asked: list[object] | None, own: _Source, rows: list[Any]) -> bool:
        """Whether no new row could be among these."""
        if asked is not None:
            # A join may bring a row more than once.
            found = set() if own.places is None else own.keys(self.compiler, rows)
            return len(found) >= len(set(asked))
        return len(rows) == 1 and lookups.asks_for_one(self.query, self.model)

    def _as_taken(self, sources: list[_Source], chunks: Iterable[Any]) -> Iterator[Any]:
        """Records rows in the measure in which an iterator is used."""
        for chunk in chunks:
            try:
                for source in sources:
                    source.record(self.compiler, self.collected, chunk)
            except Exception:
                self.fall_back()
            yield chunk

    def fall_back(self) -> None:
        """No page fails by an error of ours, or is recorded as less than it is made of."""
        logger.exception("larder can't read a query, and records its tables; please report it")
        record_statement(self.statement, self.collected)


class _Source:
    """A model that a SELECT takes rows from, and where its key stands in them."""

    def __init__(
        self, model: Model, places: list[int] | None, alias: str = "", optional: bool = False
    ) -> None:
        self.model = model
        self.places = places
        self.alias = alias
        #: Whether a row that is not there could come without a change of one that is.
        self.optional = optional
        models = (model, *model._meta.get_parent_list())
        self.tables = [names.table_key(one._meta.db_table) for one in models]

    def filters(self, query: Any) -> bool:
        """Whether the rows are used for more than being shown."""
        return self.places is None or query.alias_refcount.get(self.alias, 0) > 0

    def record(self, compiler: Any, collected: Collected, rows: list[Any]) -> None:
        """Records the rows of this model in those of the SELECT."""
        if names.is_ignored(self.model):
            return
        if self.places is None:
            _record_any(collected, self.model)
            return
        name = names.model_name(self.model)
        keys = self.keys(compiler, rows)
        if None in keys:
            keys.discard(None)
            if self.optional:
                collected.add_list(name)
        if len(keys) > collected.options.max_tags:
            collected.add_row(name, None)
        elif keys:
            collected.add_rows(name, [*keys, ROWS])

    def keys(self, compiler: Any, rows: list[Any]) -> set[object]:
        """The keys of its rows in those of the SELECT, each once; None where it has none."""
        places = self.places or []
        if len(places) > 1:
            parts = {tuple(row[place] for place in places) for row in rows}
            return {names.key_of(self.model, key) for key in parts}
        place = places[0]
        keys = {row[place] for row in rows}
        if all(type(key) is int for key in keys):
            return keys
        return self._converted(compiler, keys, place)

    def _converted(self, compiler: Any, keys: set[object], place: int) -> set[object]:
        """Keys as Python has them, not as the database does: a UUID in SQLite is a text."""
        converters = compiler.get_converters([compiler.select[place][0]])
        some = [[key] for key in keys if key is not None]
        if converters:
            some = list(compiler.apply_converters(some, converters))
        found: set[object] = {names.key_of(self.model, key) for (key,) in some}
        return found | {None} if None in keys else found


def _related(compiler: Any, info: Mapping[str, Any]) -> _Source:
    model = info["model"]._meta.concrete_model
    places = {compiler.select[place][0].target: place for place in info["select_fields"]}
    keys = [places.get(field) for field in names.key_fields(model)]
    if None in keys or names.is_ignored(model):
        return _Source(model, None)
    alias = compiler.select[keys[0]][0].alias
    loose = not getattr(info["field"], "db_constraint", True)
    source = _Source(model, keys, alias, optional=info["reverse"] or loose)  # type: ignore[arg-type]
    if info["from_parent"]:
        del source.tables[1:]  # The parent's table stands there once, as that of its own rows.
    return source


def _key_places(compiler: Any, model: Model, base: str) -> list[int] | None:
    """Where the key of the query's own table stands; None if it isn't selected."""
    wanted = names.key_fields(model)
    found: dict[Any, int] = {}
    for place, (column, _, _) in enumerate(compiler.select or ()):
        target = getattr(column, "target", None)
        if target in wanted and getattr(column, "alias", None) == base:
            found.setdefault(target, place)
            if len(found) == len(wanted):
                return [found[field] for field in wanted]
    return None


def _orders_by_others(query: Any) -> bool:
    """Whether the order may depend on other tables than the query's own."""
    if query.extra_order_by:
        return True
    meta = query.get_meta()
    given = query.order_by or (meta.ordering if query.default_ordering else ())
    return not all(_is_own(item, query, meta) for item in given)


def _is_own(item: Any, query: Any, meta: Any) -> bool:
    if isinstance(item, OrderBy):
        item = item.expression
    if isinstance(item, F):
        item = item.name
    if not isinstance(item, str):
        return False
    name = item.lstrip("+-")
    if name in ("?", "pk") or name in query.annotations:
        return True
    if LOOKUP_SEP in name:
        return False
    try:
        field = meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return not field.is_relation or name == getattr(field, "attname", None)
