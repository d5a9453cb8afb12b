"""For apps that know their models better than the recorder can: `larder_client.wagtail` is one.

Such an app may tell which part of a model a query asks about, so that a page bears the tag of the
part in place of `model:list`. And it may see to a model's `save` itself, since it knows which
saves readers see. Both make it answerable for the purges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import names
from .names import Model

#: Of a `django.db.models.sql.Query`, the tags of all rows that it could find; None if any could.
Parts = Callable[[Any], "set[str] | None"]

_parts: dict[Model, Parts] = {}
_saved_by_app: set[Model] = set()


def tell_parts(model: Model, parts: Parts) -> None:
    """Has pages that list the model bear the tags of `parts`, where it gives any.

    The app purges these tags whenever a row in such a part, as it was or as it is, changes at all.
    """
    _parts[model._meta.concrete_model] = parts


def see_to_saves(model: Model) -> None:
    """Has `save` of an instance of this very class purge nothing: the app does, by signals.

    What writes its tables otherwise, `update()` or a deletion, purges as ever.
    """
    _saved_by_app.add(model._meta.concrete_model)


def parts_of(query: Any, model: Model) -> set[str] | None:
    """The tags of all rows that a query could find; None if nobody knows."""
    tell = _parts.get(model)
    return None if tell is None else tell(query)


def is_seen_to(instance: Any, model: Model, keys: Iterable[object] | None) -> bool:
    """Whether a statement on `model` is part of the `save` of an instance that an app sees to.

    `keys` are those of an UPDATE; None for an INSERT.
    """
    if instance is None or type(instance)._meta.concrete_model not in _saved_by_app:
        return False
    if not isinstance(instance, model):
        return False
    key = names.key_of(model, getattr(instance, model._meta.pk.attname))
    return keys is None or tuple(keys) == (key,)
