"""The tags of the response that is being made.

The invariant that rolling up rests on: whoever writes a row purges `model:pk` and `model`, and
`model:list` too if the row is new, gone, or may have moved within a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .cache_control import CacheControl
from .options import Options
from .tags import check_tag


class Collected:
    """What one response was made of. Never raises into the request that it belongs to."""

    __slots__ = ("_lists", "_named", "_open", "_rows", "cache", "options")

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        #: How long the response may be kept, if its view has said so.
        self.cache: CacheControl | None = None
        # Whether what is recorded still belongs to it.
        self._open = True
        self._named: set[str] = set()
        self._lists: set[str] = set()
        # None is any row of the model: there were more than would be written.
        self._rows: dict[str, set[str] | None] = {}

    def add(self, *tags: str) -> None:
        """Tags by name. Raises as `check_tag` does."""
        for tag in tags:
            check_tag(tag)
        self._named.update(tags)

    def add_row(self, model: str, pk: object) -> None:
        """A row that was read. A key of several columns is a tuple; without a key it is any row."""
        self.add_rows(model, (pk,))

    def add_rows(self, model: str, pks: Iterable[object]) -> None:
        """Rows of one model that were read."""
        rows = self._rows.setdefault(model, set())
        if rows is None:
            return
        keys = [row_key(pk) for pk in pks]
        if None in keys:
            self._rows[model] = None
            return
        rows.update(keys)  # type: ignore[arg-type]  # there is no None in it
        if len(rows) > self.options.max_tags:
            self._rows[model] = None

    def rows_of(self, model: str) -> set[str]:
        """The rows of a model so far, as `row_key` writes them, for whoever adds many.

        The bound of `max_tags` is then the caller's: `add_row(model, None)` beyond it.
        """
        rows = self._rows.setdefault(model, set())
        return set() if rows is None else rows

    def add_list(self, model: str) -> None:
        """Which rows of a model there are was asked."""
        self._lists.add(model)

    def tags(self) -> tuple[str, ...]:
        """The tags, sorted, each once.

        If they are more than `max_tags`, the rows of the model that has most become one tag, its
        name; then those of the next. Tags that were added by name stay as they are.
        """
        rows = dict(self._rows)
        tags = self._written(rows)
        while len(tags) > self.options.max_tags:
            many = [(len(pks), model) for model, pks in rows.items() if pks and len(pks) > 1]
            if not many:
                break
            rows[max(many)[1]] = None
            tags = self._written(rows)
        return tuple(sorted(tags))

    def _written(self, rows: dict[str, set[str] | None]) -> set[str]:
        # Copies: threads of the request may still add to them.
        tags = set(self._named)
        # Any row that comes, goes or changes means `model`: its list needs no tag besides.
        tags.update(
            list_tag(model) for model in set(self._lists) if rows.get(model, ()) is not None
        )
        for model, pks in rows.items():
            if pks is None:
                tags.add(model)
            else:
                tags.update(f"{model}:{pk}" for pk in set(pks))
        return tags

    def _take(self, other: Collected) -> None:
        self._named |= other._named
        self._lists |= other._lists
        for model, rows in other._rows.items():
            if rows is None:
                self._rows[model] = None
            else:
                self.add_rows(model, rows)

    def __bool__(self) -> bool:
        return bool(self._named or self._lists or self._rows)

    def __repr__(self) -> str:
        return f"Collected({', '.join(self.tags())})"


def row_key(pk: object) -> str | None:
    """A primary key as it stands in a tag; None if it is none."""
    if pk is None:
        return None
    if isinstance(pk, tuple):
        keys = [row_key(part) for part in pk]
        return None if None in keys or not keys else ",".join(map(str, keys))
    return str(pk) or None


def row_tag(model: str, pk: object) -> str:
    """The tag of a row: `model:pk`, or `model` if it has no key."""
    key = row_key(pk)
    return model if key is None else f"{model}:{key}"


def list_tag(model: str) -> str:
    """The tag of which rows there are."""
    return f"{model}:list"


_current: ContextVar[Collected | None] = ContextVar("larder_client.collected", default=None)


@contextmanager
def collecting(options: Options | None = None) -> Iterator[Collected]:
    """Collects what is recorded meanwhile, by this thread or task and what it starts.

    Within another `collecting`, the outer one is given it all at the end: what a fragment was
    made of, its page was made of. Without `options`, those of the outer one count.
    """
    outer = _current.get()
    collected = Collected(options or (outer.options if outer is not None else None))
    token = _current.set(collected)
    try:
        yield collected
    finally:
        _current.reset(token)
        collected._open = False
        if outer is not None:
            outer._take(collected)


def current() -> Collected | None:
    """What is being collected into, if anything is.

    A thread or task that goes on after its response is done collects into nothing.
    """
    collected = _current.get()
    return collected if collected is not None and collected._open else None


def record(*tags: str) -> None:
    """Adds tags to the response that is being made; nothing if none is. Raises as `check_tag`."""
    collected = current()
    if collected is not None:
        collected.add(*tags)
