"""What pages are made of, recorded from the ORM's reads; and purged by its writes.

`docs/django-tags.md` says what is recorded, what is purged, and where that ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model

from . import names
from .changes import Change
from .hooks import install
from .pending import commits, committed, purge_on_commit
from .registry import register, unregister
from .state import quietly

__all__ = [
    "changed",
    "commits",
    "committed",
    "install",
    "purge_on_commit",
    "register",
    "unregister",
    "unwatched",
]


def changed(
    model: type[Model], keys: Iterable[object] | None = None, *, using: str = DEFAULT_DB_ALIAS
) -> None:
    """Says that rows of a model were written in a way that can't be seen, such as COPY.

    `keys` are their primary keys, None if nobody knows. They are purged on commit.
    """
    concrete = model._meta.concrete_model
    found = None if keys is None else tuple(names.key_of(concrete, key) for key in keys)
    if found is not None and None in found:
        found = None
    purge_on_commit(using, Change(concrete, keys=found).tags())


@contextmanager
def unwatched(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Has nothing recorded and nothing purged for what this thread does there meanwhile.

    For imports that purge once at their end, and for statements that are known to change nothing.
    """
    with quietly(connections[using]):
        yield
